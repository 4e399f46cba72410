"""Tables, transactions and the sealed decision log."""
