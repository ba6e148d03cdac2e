const ATTEMPTS = 5

/** 4.4.1 verifier/verifier.py asks the engine again while it returns no prompt_logprobs, five times in all. */
export async function askRepeatedly<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const answer = await ask()
    if (answer !== undefined) return answer
  }
  return undefined
}
