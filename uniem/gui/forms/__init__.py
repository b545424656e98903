"""A parameter model as a form: read off its fields, validated by pydantic alone."""
