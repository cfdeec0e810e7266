"""What is kept, and who could read it? Tables, the database, the vault and the feed."""
