/** Shell completion: a short script for each shell, which asks this program at each press of TAB. */
import { commands } from "./commands.ts";
import { globalOptions } from "./global_options.ts";
import type { OptionTable } from "./options.ts";

/** The first argument with which the scripts ask; program.ts knows it as well. */
const COMPLETE = "--complete";

/** Scripts by shell; PROGRAM stands for the program's name. */
const scripts: Readonly<Record<string, string>> = {
  bash: `# runt completion bash: to be read by bash, as by: source <(PROGRAM completion bash)
_PROGRAM() {
  mapfile -t COMPREPLY < <(compgen -W "$(PROGRAM ${COMPLETE} "\${COMP_WORDS[@]:0:COMP_CWORD+1}")" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o bashdefault -o default -F _PROGRAM PROGRAM
`,
  zsh: `#compdef PROGRAM
_PROGRAM() {
  local -a found
  found=("\${(@f)$(PROGRAM ${COMPLETE} "\${(@)words[1,CURRENT]}")}")
  if [[ -n "$found" ]]; then compadd -- $found; else _files; fi
}
if [[ "$funcstack[1]" == _PROGRAM ]]; then _PROGRAM; else compdef _PROGRAM PROGRAM; fi
`,
  fish: `function __PROGRAM_complete
  set -l found (PROGRAM ${COMPLETE} (commandline -opc) (commandline -ct))
  if test -n "$found"
    string join -- \\n $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`,
};

/** The script for a shell, by default the one that $SHELL names, or bash. */
export function completionScript(program: string, shell: string | undefined, own = ""): string {
  const script =
    scripts[shell ?? own.slice(own.lastIndexOf("/") + 1)] ?? (shell === undefined ? scripts.bash : undefined);
  if (script === undefined) throw new Error(`no completion for ${shell}: bash, zsh and fish are known`);
  return script.replaceAll("PROGRAM", program);
}

/**
 * What can stand in the place of the last of these words, the first of which is the program. Nothing means that the
 * shell may offer files.
 */
export function candidates(words: readonly string[]): readonly string[] {
  const before = words.slice(1, -1);
  const last = words.at(-1) ?? "";
  const entry = commands.find(({ name }) => name === before.find((word) => nameOf(word) !== undefined));
  const table: OptionTable = entry === undefined ? globalOptions : (entry.command?.options ?? {});
  const values = valuesOf(table, before.at(-1) ?? "");
  if (values !== undefined) return values;
  if (last.startsWith("-")) return [...optionWords(table), "--help"];
  if (entry === undefined || entry.name === "help") return commands.map(({ name }) => name);
  return entry.name === "completion" ? Object.keys(scripts) : [];
}

const nameOf = (word: string): string | undefined => commands.find(({ name }) => name === word)?.name;

function optionWords(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([name, { short }]) =>
    short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`],
  );
}

/** What may follow an option: one of few words, a file (none of ours), or undefined when it takes no value. */
function valuesOf(table: OptionTable, word: string): string[] | undefined {
  const given = word.replace(/^--?/, "");
  if (given === word) return undefined;
  const option = Object.entries(table).find(([name, { short }]) => name === given || short === given)?.[1];
  if (option === undefined || option.kind.startsWith("boolean")) return undefined;
  return option.placeholder?.includes("|") && !option.placeholder.includes("FILE")
    ? option.placeholder.split("|")
    : [];
}
