import { notSupported } from "../template-error.js";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  ...["January", "February", "March", "April", "May", "June", "July", "August"],
  ...["September", "October", "November", "December"],
];

const two = (value: number) => String(value).padStart(2, "0");
const hour = (date: Date) => date.getHours() % 12 || 12;
const dayOfYear = (date: Date) => {
  const [start, day] = [0, date.getMonth()].map((month, i) =>
    Date.UTC(date.getFullYear(), month, i === 0 ? 1 : date.getDate()),
  ) as [number, number];
  return Math.round((day - start) / 86_400_000) + 1;
};

const codes: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => (days[date.getDay()] as string).slice(0, 3),
  A: (date) => days[date.getDay()] as string,
  b: (date) => (months[date.getMonth()] as string).slice(0, 3),
  B: (date) => months[date.getMonth()] as string,
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2),
  "-d": (date) => String(date.getDate()),
  H: (date) => two(date.getHours()),
  I: (date) => two(hour(date)),
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  m: (date) => two(date.getMonth() + 1),
  "-m": (date) => String(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  S: (date) => two(date.getSeconds()),
  w: (date) => String(date.getDay()),
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  T: (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  "%": () => "%",
};

/** Python's `strftime` in English and local time. @throws TemplateError for a code that is not known */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?.|$)/gs, (all, code: string) => {
    if (!Object.hasOwn(codes, code)) throw notSupported(`${all} in a date`);
    return (codes[code] as (date: Date) => string)(date);
  });
}
