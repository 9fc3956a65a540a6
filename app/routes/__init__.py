"""The pages and what stands before them: HTTP in, HTTP out."""
