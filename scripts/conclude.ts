// How every check ends: one line when all is well, else a sentence for each thing that is not, and exit code 1.

export function conclude(problems: readonly string[], success: string): void {
  if (problems.length === 0) {
    console.log(success)
    return
  }
  for (const problem of problems) console.error(problem)
  process.exitCode = 1
}
