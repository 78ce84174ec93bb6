/** What is wrong with a configuration: every problem at once, each as data first and words second. */
import type { SpecField } from "../../syscalls/types.ts";

/** One problem. `field` is "" when it is the document as a whole. */
export interface Issue {
  readonly field: SpecField;
  /** What is wrong; runc's words where engines know them. */
  readonly problem: string;
  /** What the configuration says, fit for printing; "nothing" when the field is absent. */
  readonly given: string;
  /** What would be right. */
  readonly accepted: string;
}

/** Something a person should hear of that does not stop the container. */
export interface Warning {
  readonly field: SpecField;
  readonly text: string;
}

/** A message stays readable, and one line, however broken the file is; `issues` has them all. */
const SHOWN = 20;

/** A document that is JSON but not a valid configuration. */
export class InvalidSpec extends Error {
  override readonly name = "InvalidSpec";
  constructor(
    /** The document, such as "config.json". */
    readonly what: string,
    readonly issues: readonly Issue[],
  ) {
    super(describe(what, issues));
  }
}

/** One issue as a sentence. */
function describeIssue({ field, problem, given, accepted }: Issue): string {
  const place = field === "" ? "" : `${field}: `;
  return `${place}${problem} (given ${given}; accepted: ${accepted})`;
}

function describe(what: string, issues: readonly Issue[]): string {
  const shown = issues.slice(0, SHOWN).map(describeIssue);
  if (issues.length > SHOWN) shown.push(`and ${issues.length - SHOWN} more`);
  const count = issues.length === 1 ? "" : `${issues.length} problems: `;
  return `invalid ${what}: ${count}${shown.join("; ")}`;
}
