"""`ensure_indexes`: every managed index as it is declared, while others read and write.

A migration is one transaction, and building an index in it locks out the writers of a large table. So such indexes are
no part of it: `frozen.indexes` leaves them out, and they are made here.
"""
