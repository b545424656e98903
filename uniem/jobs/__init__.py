"""Operations being run: each is a folder that a worker process fills and anybody may watch."""
