"""`python -m sangkien.intake serve | provision`."""

from sangkien.chassis import main
from sangkien.intake.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
