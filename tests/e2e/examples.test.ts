import { expect, test, vi } from "vitest";

test("the library example of the README runs", async () => {
  const printed: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  await import("../../examples/library-example.js");
  expect(printed).toHaveLength(5);
  for (const [index, line] of printed.entries()) {
    expect(line).toMatch(
      new RegExp(`^step ${index + 1}: reverse KL \\d+\\.\\d\\d nats per token$`),
    );
  }
});
