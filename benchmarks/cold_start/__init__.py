"""What a function does before it can be asked, beside a bare FastAPI + Mangum of that build."""
