"""Run all cases and record their errors: `python -m testing.mock_validation`."""

from testing.mock_validation import results

if __name__ == "__main__":
    results.record()
