/**
 * Variables of a development container that every program of a run may have. Others are left out, and returned by name: what says where
 * programs, HOME and sign-ins are, what loads code into other programs, and what leads agents or tools to another address than the run's own.
 */
export function harmlessVariables(env: Readonly<Record<string, string>>): {
  readonly variables: Readonly<Record<string, string>>;
  readonly refused: readonly string[];
} {
  const entries = Object.entries(env);
  return {
    variables: Object.fromEntries(entries.filter(([name]) => !HARMFUL.test(name))),
    refused: entries.flatMap(([name]) => (HARMFUL.test(name) ? [name] : [])),
  };
}

const HARMFUL =
  /^(PATH|HOME|PWD|USER|LOGNAME|SHELL|TMPDIR|IFS|ENV|BASH_ENV|BASH_FUNC.*|PROMPT_COMMAND|LD_.*|DYLD_.*|GLIBC_TUNABLES|NODE_OPTIONS|PYTHONSTARTUP|PERL5OPT|RUBYOPT|JAVA_TOOL_OPTIONS|GIT_.*|SSH_.*|SWITCHYARD_.*|CODEX_.*|CLAUDE_.*|ANTHROPIC_.*|OPENAI_.*|GEMINI_.*|GOOGLE_.*|.*_PROXY|.*_(BASE_URL|ENDPOINT|API_KEY|TOKEN)|npm_config_.*)$/i;
