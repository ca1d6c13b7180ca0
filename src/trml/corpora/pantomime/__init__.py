"""The generated corpus: faces in video files and sentences, with labels whose ceiling is computed exactly."""
