/** The output with durations and times of day made alike, which differ each time that the same thing fails. */
export function withoutTimes(output: string): string {
  return output
    .replace(/\b\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?\b/g, '#')
    .replace(/\b\d+([.,]\d+)?\s?(ms|µs|s|secs?|seconds?|m|min|minutes?)\b/g, '#');
}
