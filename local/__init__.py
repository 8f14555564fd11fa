"""The tools for running the app on one machine; nothing here is deployed to Azure."""
