"""The dashboard in a real browser. Run by `make browser`; needs Chromium (PARLEY_CHROMIUM names another one)."""
