"""The one error of this library."""


class DocumentError(ValueError):
    """Data that cannot make this document: which document, which field, what is wrong and how to mend it.

    The text holds no personal data: it names fields and positions, never their values.
    """

    def __init__(self, document: str, field: str, problem: str) -> None:
        super().__init__(f"{document}: {field}: {problem}")
        self.document = document
        self.field = field
        self.problem = problem
