"""`python -m sangkien.review serve | provision`."""

from sangkien.chassis import main
from sangkien.review.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
