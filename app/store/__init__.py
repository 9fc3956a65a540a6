"""All SQL of the product, one file a noun. Statements are module constants, so that a test can ask the planner of
each."""
