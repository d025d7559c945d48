import { useEffect, useRef } from "preact/hooks";
import type { RingPicture } from "../training/protocol.js";
import { names } from "./charts/charts.js";
import { percent, ticks } from "./charts/scales.js";
import { useDark, useWidth } from "./charts/size.js";
import { fieldOf } from "./settings/edit.js";
import { frame, isComparing } from "./state/store.js";

/** What students do with two modes: there where the teacher has them. */
export function RingPanel() {
  if (fieldOf("teacher.type") !== "bimodal") return null;
  const pictures = frame.value?.students.map(({ ring }) => ring) ?? [];
  const places = isComparing.value ? [0, 1] : [0];
  return (
    <section class="rings" aria-label="What the students do with two modes">
      {places.map((i) => (
        <Ring
          key={i}
          kind={i === 0 ? "a" : "b"}
          name={names.value[i] ?? "student"}
          picture={pictures[i]}
        />
      ))}
    </section>
  );
}

const height = 150;
const margin = { top: 8, right: 8, bottom: 22, left: 38 };

function Ring({
  kind,
  name,
  picture,
}: {
  kind: "a" | "b";
  name: string;
  picture: RingPicture | undefined;
}) {
  const { ref, width } = useWidth<HTMLDivElement>(420);
  const size = picture?.teacher.length ?? 24;
  const teacher = picture?.teacher ?? [];
  const student = picture?.student ?? [];
  const [left, right] = [margin.left, Math.max(margin.left + 20, width - margin.right)];
  const bottom = height - margin.bottom;
  // The teacher's hills decide the scale: the picture does not jump.
  const most = Math.max(0.05, ...teacher) * 1.3;
  const band = (right - left) / size;
  const y = (p: number) => bottom - ((bottom - margin.top) * Math.min(p, most)) / most;
  const outline = teacher
    .map(
      (p, id) =>
        `${id === 0 ? `M${left} ${y(p).toFixed(1)}` : `V${y(p).toFixed(1)}`}H${(left + (id + 1) * band).toFixed(1)}`,
    )
    .join("");
  const { masses, teacherMasses } = picture ?? {};
  return (
    <figure class="chart ring" ref={ref as never}>
      <figcaption>
        <h3>{name}</h3>
        <span class="unit">
          probability of the next token, by how far ahead on the ring; outline: the teacher
        </span>
      </figcaption>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${name}: ${masses === undefined ? "nothing yet" : sayMasses(masses)}; the teacher: ${teacherMasses === undefined ? "nothing yet" : sayMasses(teacherMasses)}.`}
      >
        {ticks(0, most, 3).map((p) => (
          <g key={p} class="tick">
            <path d={`M${left} ${y(p).toFixed(1)}H${right}`} />
            <text x={left - 6} y={y(p) + 4} text-anchor="end">
              {Math.round(100 * p)} %
            </text>
          </g>
        ))}
        {student.map((p, id) => (
          <rect
            key={id}
            class={`column ${kind}`}
            x={left + id * band + 1}
            width={Math.max(1, band - 2)}
            y={y(p)}
            height={bottom - y(p)}
          />
        ))}
        {outline !== "" && <path class="line t" d={outline} />}
        {ticks(0, size - 1, 8)
          .filter((id) => Number.isInteger(id))
          .map((id) => (
            <g key={id} class="tick">
              <text x={left + (id + 0.5) * band} y={height - 6} text-anchor="middle">
                +{id}
              </text>
            </g>
          ))}
      </svg>
      <div class="ring-below">
        <HeatSquare rows={picture?.rows ?? []} size={size} name={name} kind={kind} />
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">mode 1</th>
              <th scope="col">mode 2</th>
              <th scope="col">elsewhere</th>
            </tr>
          </thead>
          <tbody>
            {(
              [
                ["student", masses],
                ["teacher", teacherMasses],
              ] as const
            ).map(([who, mass]) => (
              <tr key={who}>
                <th scope="row">{who}</th>
                <td>{mass === undefined ? "–" : percent(mass.first)}</td>
                <td>{mass === undefined ? "–" : percent(mass.second)}</td>
                <td>{mass === undefined ? "–" : percent(mass.outside)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

const sayMasses = ({ first, second, outside }: RingPicture["masses"]) =>
  `${percent(first)} near mode 1, ${percent(second)} near mode 2, ${percent(outside)} elsewhere`;

/** Every previous token's own row: that a mean over rows has two hills does not mean that a row has. */
function HeatSquare({
  rows,
  size,
  name,
  kind,
}: {
  rows: readonly number[];
  size: number;
  name: string;
  kind: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isDark = useDark();
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(canvas.current as HTMLCanvasElement);
    const image = context.createImageData(size, size);
    const [r = 0, g = 0, b = 0] = channels(style.color);
    const most = Math.max(0.15, ...rows);
    for (const [i, p] of rows.entries()) {
      image.data.set([r, g, b, Math.round(255 * Math.min(1, p / most))], 4 * i);
    }
    context.clearRect(0, 0, size, size);
    context.putImageData(image, 0, 0);
  }, [rows, size, isDark]);
  return (
    <canvas
      ref={canvas}
      class={`square ${kind}`}
      width={size}
      height={size}
      role="img"
      aria-label={`${name}, a row for each previous token, a column for each step ahead; darker is likelier`}
    />
  );
}

const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
