"""allMessages as a competent team would write it first: FastAPI, pydantic models, SQLAlchemy 2's async ORM, PostgreSQL.

It is measured, never shipped, and it keeps no promise of the cursor: it seals nothing and serialises nobody, which
makes it cheaper than it should be. A verified password is remembered as in Rejoinder, which a first version would
hardly do: with argon2 at every call the comparison would be one of password hashes. So the factor that remains is the
framework's and the ORM's.
"""
