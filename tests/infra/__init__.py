"""The Bicep files, as the compiler judges them."""
