from tests.jobs.samples import samples, source

__all__ = ["samples", "source"]
