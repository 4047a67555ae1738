"""`python -m sangkien.reward serve | provision`."""

from sangkien.chassis import main
from sangkien.reward.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
