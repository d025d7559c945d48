import { binned, type Point, short, ticks, ticksAround } from "./scales.js";
import { useWidth } from "./size.js";

export interface Line {
  readonly name: string;
  /** `a` and `b` are the students, `t` is the teacher. */
  readonly kind: "a" | "b" | "t";
  readonly points: readonly Point[];
}

interface LineChartProps {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Steps of the whole run: the axis is there before the curve. */
  readonly steps: number;
  /** Where the frame stands that is looked at. */
  readonly marked: number | undefined;
}

const height = 164;
const margin = { top: 8, right: 10, bottom: 24, left: 40 };

/** Curves over the steps of a run. */
export function LineChart({ title, unit, lines, steps, marked }: LineChartProps) {
  const { ref, width } = useWidth<HTMLDivElement>(300);
  const shown = lines.map((line) => ({ ...line, points: binned(line.points, 240) }));
  const all = shown.flatMap(({ points }) => points);
  const [left, right] = [margin.left, Math.max(margin.left + 20, width - margin.right)];
  const [top, bottom] = [margin.top, height - margin.bottom];
  const last = Math.max(0, ...all.map(({ x }) => x));
  const endStep = Math.max(1, last > 0 ? niceEnd(last, steps) : steps);
  const isEmpty = all.length === 0;
  const values = all.map(({ y }) => y);
  const highest = isEmpty ? 1 : Math.max(1e-6, ...values);
  const levels = ticksAround(Math.min(0, ...values), highest, 4);
  const [least, most] = [levels[0] as number, levels.at(-1) as number];
  const x = (step: number) => left + ((right - left) * step) / endStep;
  const y = (value: number) => bottom - ((bottom - top) * (value - least)) / (most - least);
  const pathOf = (points: readonly Point[]) =>
    points
      .map((p, i) => `${i === 0 ? "M" : "L"}${x(p.x).toFixed(1)} ${y(p.y).toFixed(1)}`)
      .join("");
  const lastValues = shown.map(
    ({ name, points }) => `${name} ${short(points.at(-1)?.y ?? Number.NaN)}`,
  );
  return (
    <figure class="chart" ref={ref as never}>
      <figcaption>
        <h3>{title}</h3>
        <span class="unit">{unit}</span>
      </figcaption>
      <ul class="legend">
        {shown.map(({ name, kind, points }) => (
          <li key={name}>
            <svg viewBox="0 0 18 8" width="18" height="8" aria-hidden="true">
              <path class={`line ${kind}`} d="M0 4H18" />
            </svg>
            {name} <b>{short(points.at(-1)?.y ?? Number.NaN)}</b>
          </li>
        ))}
      </ul>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${title}, ${unit}, by step. Last: ${lastValues.join(", ")}.`}
      >
        {(isEmpty ? [0] : levels).map((value) => (
          <g key={value} class="tick">
            <path d={`M${left} ${y(value).toFixed(1)}H${right}`} />
            <text x={left - 6} y={y(value) + 4} text-anchor="end">
              {short(value)}
            </text>
          </g>
        ))}
        {ticks(0, endStep, width > 360 ? 6 : 4).map((value) => (
          <g key={value} class="tick">
            <text x={x(value)} y={height - 8} text-anchor={value === 0 ? "start" : "middle"}>
              {value === 0 ? "step 0" : value.toLocaleString("en-US")}
            </text>
          </g>
        ))}
        {isEmpty && (
          <text class="nothing" x={(left + right) / 2} y={(top + bottom) / 2} text-anchor="middle">
            no step yet
          </text>
        )}
        {marked !== undefined && (
          <path class="marked" d={`M${x(marked).toFixed(1)} ${top}V${bottom}`} />
        )}
        {shown.map(({ name, kind, points }) =>
          points.length === 1 ? (
            <circle
              key={name}
              class={`spot ${kind}`}
              cx={x((points[0] as Point).x)}
              cy={y((points[0] as Point).y)}
              r="3"
            />
          ) : (
            <path key={name} class={`line ${kind}`} d={pathOf(points)} />
          ),
        )}
      </svg>
    </figure>
  );
}

/** Where the axis ends: it grows with the curve, by doubling, up to the whole run. */
function niceEnd(last: number, steps: number): number {
  let end = 50;
  while (end < last) end *= 2;
  return Math.min(end, Math.max(steps, last));
}
