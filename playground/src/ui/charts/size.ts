import { useEffect, useRef, useState } from "preact/hooks";

/** The width of an element, in pixels, as it is laid out. */
export function useWidth<E extends HTMLElement>(first: number) {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    const { current } = ref;
    if (current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setWidth(Math.round(entry.contentRect.width));
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

/** Whether the reader's system is dark, for what does not take its colours from a style sheet. */
export function useDark(): boolean {
  const [isDark, setDark] = useState(() => matchMedia(dark).matches);
  useEffect(() => {
    const list = matchMedia(dark);
    const listen = () => setDark(list.matches);
    list.addEventListener("change", listen);
    return () => list.removeEventListener("change", listen);
  }, []);
  return isDark;
}

const dark = "(prefers-color-scheme: dark)";
