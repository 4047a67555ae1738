"""`python -m sangkien.recognition serve | provision`."""

from sangkien.chassis import main
from sangkien.recognition.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
