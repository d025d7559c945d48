import { expect, test } from "vitest";
import { strftime } from "../../../../src/data/chat/jinja/text/strftime.js";

const all = "%a %A %b %B %d %e %-d %H %I %j %m %-m %M %p %S %w %y %Y %F %T %%";

// What Python's datetime.strftime gives.
test.each([
  [
    [2024, 1, 1, 0, 0, 0],
    "Mon Monday Jan January 01  1 1 00 12 001 01 1 00 AM 00 1 24 2024 2024-01-01 00:00:00 %",
  ],
  [
    [2023, 12, 31, 12, 59, 59],
    "Sun Sunday Dec December 31 31 31 12 12 365 12 12 59 PM 59 0 23 2023 2023-12-31 12:59:59 %",
  ],
  [
    [2024, 12, 31, 23, 30, 7],
    "Tue Tuesday Dec December 31 31 31 23 11 366 12 12 30 PM 07 2 24 2024 2024-12-31 23:30:07 %",
  ],
  [
    [2000, 2, 29, 13, 5, 9],
    "Tue Tuesday Feb February 29 29 29 13 01 060 02 2 05 PM 09 2 00 2000 2000-02-29 13:05:09 %",
  ],
  [
    [2009, 10, 4, 11, 0, 0],
    "Sun Sunday Oct October 04  4 4 11 11 277 10 10 00 AM 00 0 09 2009 2009-10-04 11:00:00 %",
  ],
])("%j", ([year = 0, month = 0, ...rest], expected) => {
  const [day, hours, minutes, seconds] = rest as [number, number, number, number];
  expect(strftime(new Date(year, month - 1, day, hours, minutes, seconds), all)).toBe(expected);
});

test("every month and day has its name", () => {
  const names = (format: string, dates: Date[]) => dates.map((date) => strftime(date, format));
  const months = Array.from({ length: 12 }, (_, month) => new Date(2024, month, 1));
  expect(names("%b", months).join(" ")).toBe("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec");
  expect(names("%B", months).every((name, i) => name.startsWith(names("%b", months)[i]!))).toBe(
    true,
  );
  const days = Array.from({ length: 7 }, (_, day) => new Date(2024, 0, 7 + day));
  expect(names("%a%w", days).join(" ")).toBe("Sun0 Mon1 Tue2 Wed3 Thu4 Fri5 Sat6");
});

test("a code that is not known, or cut, is refused by name", () => {
  expect(() => strftime(new Date(), "%Q")).toThrow("%Q in a date is not supported");
  expect(() => strftime(new Date(), "a%")).toThrow("% in a date is not supported");
});
