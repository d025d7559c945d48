import { useEffect, useRef, useState } from "preact/hooks";
import type { ModelRole } from "../../training/protocol.js";
import { type ChosenFiles, filesDropped, filesOf } from "./chosen-files.js";
import { given, giveModel, problem } from "../state/store.js";

const give = (as: ModelRole, chosen: ChosenFiles | undefined) => {
  if (chosen !== undefined) giveModel(as, chosen.name, chosen.files);
};

/** Where a visitor gives a teacher; what is dropped anywhere on the page is one, but over the student's place. */
export function GiveTeacher() {
  const isOver = useDrops();
  return (
    <div class={isOver ? "drop over" : "drop"}>
      <p class="hint">
        {given.value.teacher === undefined
          ? "A teacher of yours: drop its Hugging Face folder or a zip on this page, or choose"
          : `Yours: ${given.value.teacher.name}. Another one: drop it on this page, or choose`}
      </p>
      <div class="actions">
        <FilesButton label="its folder" as="teacher" folder />
        <FilesButton label="a zip" as="teacher" />
      </div>
    </div>
  );
}

/** A button that asks for a folder or a zip. */
export function FilesButton({
  label,
  as,
  folder = false,
}: {
  label: string;
  as: ModelRole;
  folder?: boolean;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class="button small" onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        id={`${as}-${folder ? "folder" : "zip"}`}
        type="file"
        hidden
        {...(folder ? { webkitdirectory: true } : { accept: ".zip,application/zip" })}
        onChange={({ currentTarget }) => {
          give(as, filesOf(currentTarget));
          // The same one can be chosen again.
          currentTarget.value = "";
        }}
      />
    </>
  );
}

/** Takes what is dropped on the page, which a browser would else leave the page for; whether something is over it. */
function useDrops(): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const listeners: Readonly<Record<string, (event: DragEvent) => void>> = {
      dragover(event) {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      },
      dragleave(event) {
        if (event.relatedTarget === null) setOver(false);
      },
      drop(event) {
        setOver(false);
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        const isStudent = (event.target as Element).closest("[data-drop=student]") !== null;
        filesDropped(event.dataTransfer).then(
          (chosen) => give(isStudent ? "student" : "teacher", chosen),
          (error: unknown) => (problem.value = `dropped files: ${(error as Error).message}`),
        );
      },
    };
    const all = Object.entries(listeners) as [string, (event: Event) => void][];
    for (const [name, listen] of all) addEventListener(name, listen);
    return () => {
      for (const [name, listen] of all) removeEventListener(name, listen);
    };
  }, []);
  return isOver;
}
