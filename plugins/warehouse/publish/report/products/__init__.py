"""The report's sections on products: one module each, which reads what is published and draws it."""
