"""Raw files: fetch them, and read them without trusting their content. No corpus is known here."""
