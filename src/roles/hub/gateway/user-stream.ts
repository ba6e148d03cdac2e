import type { ServerResponse } from 'node:http'
import { type Clock, withDeadline } from '../../../kernel/index.js'

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

  /** Resolves when more may be written. @throws DeadlineError when the user does not read; the reason of the signal */
  async write(bytes: string | Buffer): Promise<void> {
    this.signal.throwIfAborted()
    if (this.response.write(bytes)) return
    const drained = () => new Promise<void>((resolve) => this.response.once('drain', resolve))
    await withDeadline(this.clock, 'The user’s reading', this.stallMs, this.signal, drained)
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
