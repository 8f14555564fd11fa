"""What makes the app run on one machine; nothing here is deployed to Azure."""
