"""What is typed of accounts and the ledger, and its entries as rows."""
