import type { ServerResponse } from 'node:http'
import { type Clock, DeadlineError, withDeadline } from '../../../kernel/index.js'

/** The user has stopped reading, which is the same as leaving. */
export class UserStalled extends Error {
  override readonly name = 'UserStalled'
}

/** Writes an answer to a user who may read slowly, or leave. */
export class UserStream {
  constructor(
    private readonly response: ServerResponse,
    private readonly clock: Clock,
    /** How long the user may stop reading. */
    private readonly stallMs: number,
    /** Aborts when the user leaves. */
    private readonly signal: AbortSignal,
  ) {}

  begin(headers: Readonly<Record<string, string>>): void {
    this.response.writeHead(200, headers)
  }

  /** Resolves when more may be written. @throws UserStalled when the user does not read; the reason of the signal */
  async write(bytes: string | Buffer): Promise<void> {
    this.signal.throwIfAborted()
    if (this.response.write(bytes)) return
    const drained = () => new Promise<void>((resolve) => this.response.once('drain', resolve))
    await withDeadline(this.clock, 'The user’s reading', this.stallMs, this.signal, drained).catch(
      (error: unknown) => {
        throw error instanceof DeadlineError
          ? new UserStalled('the user does not read', { cause: error })
          : error
      },
    )
  }

  end(): void {
    this.response.end()
  }

  /** Breaks the connection, so that the user cannot take what came so far for the whole answer. */
  cut(): void {
    this.response.destroy()
  }
}

/** One server-sent event. */
export function eventOf(data: string): string {
  return data.includes('\n')
    ? `${data
        .split('\n')
        .map((line) => `data: ${line}\n`)
        .join('')}\n`
    : `data: ${data}\n\n`
}
