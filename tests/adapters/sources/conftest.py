import pytest

pytest.register_assert_rewrite("tests.adapters.sources.conformance")
