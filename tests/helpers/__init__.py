"""What several tests share: synthetic inputs, and servers that misbehave."""
