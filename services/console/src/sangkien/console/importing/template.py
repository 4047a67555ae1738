"""The blank spreadsheet that `sangkien import --template` gives: it reads back without a complaint."""

from datetime import date
from pathlib import Path
from typing import Final

COLUMNS: Final = (
    ("STT", 6),
    ("Tên sáng kiến", 60),
    ("Tác giả", 28),
    ("Ngày tháng năm sinh", 16),
    ("Chức danh", 18),
    ("Tỷ lệ (%) đóng góp", 14),
    ("Đơn vị", 34),
    ("Lĩnh vực áp dụng", 22),
    ("Ngày áp dụng lần đầu", 16),
    ("Ngày nộp", 14),
    ("Mã nhân viên", 14),
    ("Email", 26),
    ("Tóm tắt nội dung", 50),
    ("Lợi ích, hiệu quả", 40),
    ("Giá trị làm lợi (đồng)", 18),
    ("Minh chứng", 30),
    ("Ghi chú", 18),
)
SAMPLE_MARK: Final = "Dòng minh họa"
_SAMPLES: Final = (
    (1, "Ngày thứ Sáu không chờ tại bộ phận Một cửa", "Họ và tên tác giả", "15/03/1985", "Công chức", "100%",
     "Phường Điện Biên", "Cải cách hành chính", "05/09/2022", "", "", "", "", "", "", "anh-truoc.jpg; anh-sau.jpg",
     SAMPLE_MARK),
    (2, "Một số biện pháp bảo vệ môi trường cho trẻ 5-6 tuổi", "Tác giả thứ nhất\nTác giả thứ hai",
     "01/02/1990\n03/04/1991", "Giáo viên\nGiáo viên", "60%\n40%", "Trường Mầm non A", "Giáo dục", "09/2022", "", "",
     "", "", "", 12_000_000, "", SAMPLE_MARK),
)  # fmt: skip
_LINES: Final = (
    "Cách điền · How to fill in",
    "1. Mỗi sáng kiến một dòng. Cột bắt buộc: Tên sáng kiến, Tác giả, Đơn vị.",
    "2. Nhiều tác giả: mỗi người một dòng trong ô (Alt+Enter), tỷ lệ ghi theo đúng thứ tự, tổng đúng 100%.",
    "3. Ngày: 05/09/2023; chỉ biết tháng thì ghi 09/2023.",
    "4. Hai dòng có ghi chú “Dòng minh họa” không được nộp; có thể xóa hoặc để nguyên.",
    "5. Nộp lại cùng một tệp không tạo hồ sơ trùng.",
    "6. Minh chứng: tên các tệp cách nhau bằng dấu ; và nằm trong thư mục chỉ ra khi nộp (--evidence THƯ-MỤC).",
    "One initiative a row. Required: title, authors, unit. Several authors: one a line in the cell, shares in the same",
    "order, 100% in all. Dates as 05/09/2023 or 09/2023. Filing the same file again files nothing twice.",
    "Evidence: names of files, joined by ; and lying in the folder that --evidence names.",
)
_ROWS: Final = 2_000


def write_template(path: Path) -> None:
    """Write the template as .xlsx, in place of what is at `path`. Raises OSError."""
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Danh sách")
        head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#DDEBF7", "border": 1}
        )
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sample = book.add_format({"text_wrap": True, "valign": "top", "italic": True, "font_color": "#7F7F7F"})
        for column, (text, width) in enumerate(COLUMNS):
            sheet.set_column(column, column, width, wrapped)
            sheet.write_string(0, column, text, head)
        for line, values in enumerate(_SAMPLES, start=1):
            for column, value in enumerate(values):
                if isinstance(value, int):
                    sheet.write_number(line, column, value, sample)
                elif value:
                    sheet.write_string(line, column, value, sample)
        sheet.freeze_panes(1, 2)
        money = next(place for place, (text, _) in enumerate(COLUMNS) if text.startswith("Giá trị"))
        rule = {"validate": "integer", "criteria": ">=", "value": 0, "error_title": "Giá trị làm lợi"}
        rule |= {"error_message": "Ghi số đồng nguyên, không chữ.", "error_type": "warning"}
        sheet.data_validation(1, money, _ROWS, money, rule)
        for place in (place for place, (text, _) in enumerate(COLUMNS) if text in ("Ngày áp dụng lần đầu", "Ngày nộp")):
            hint = {"validate": "any", "input_title": "Ngày", "input_message": "Ví dụ 05/09/2023 hoặc 09/2023"}
            sheet.data_validation(1, place, _ROWS, place, hint)
        guide = book.add_worksheet("Hướng dẫn")
        guide.set_column(0, 0, 110)
        for line, text in enumerate(_LINES):
            guide.write_string(line, 0, text)
        book.set_properties({"title": "Danh sách sáng kiến", "created": date(2023, 1, 1)})
