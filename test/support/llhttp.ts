import { createRequire } from 'node:module'

/** llhttp as undici ships it, compiled to WebAssembly: the same release with every version of Node.js. */
interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(bytes: number): number
  free(at: number): void
  llhttp_alloc(type: number): number
  llhttp_free(parser: number): void
  llhttp_execute(parser: number, at: number, bytes: number): number
  llhttp_finish(parser: number): number
  llhttp_get_error_pos(parser: number): number
  llhttp_get_error_reason(parser: number): number
}

declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: object }
}

/** How a parser reads all that a server sent on one connection before it closed it. */
export type Verdict =
  | {
      readonly kind: 'answer'
      readonly status: number
      /** Names in lower case. */
      readonly headers: readonly (readonly [name: string, value: string])[]
      /** One character per byte. */
      readonly body: string
      /** Another request may follow on the connection. */
      readonly isReusable: boolean
    }
  | { readonly kind: 'error'; readonly reason: string }

/** Numbers of `llhttp.h`. */
const [RESPONSE, PAUSED, SKIP_BODY, STOP] = [2, 21, 1, -1]

/** Node's and undici's bound for the names and values of a head. */
const MAX_HEADER_BYTES = 16 << 10

/** Collects what llhttp reports of one answer; interim answers are skipped as Node's own client skips them. */
class Answer {
  status = 0
  headers: [string, string][] = []
  body = ''
  isReusable = false
  isDone = false
  reason: string | undefined
  #headerBytes = 0

  onField(text: string): number {
    if (this.status === 0) this.headers.push([text.toLowerCase(), ''])
    return this.#count(text)
  }

  onValue(text: string): number {
    const last = this.headers.at(-1)
    if (this.status === 0 && last !== undefined) last[1] += text
    return this.#count(text)
  }

  onHeadersComplete(status: number, isUpgrade: boolean, shouldKeepAlive: boolean): number {
    this.#headerBytes = 0
    if (isUpgrade) return this.#refuse('an upgrade that was not asked for')
    if (status >= 100 && status < 200) {
      this.headers = []
      return SKIP_BODY
    }
    this.status = status
    this.isReusable = shouldKeepAlive
    return 0
  }

  onBody(text: string): number {
    this.body += text
    return 0
  }

  onComplete(): number {
    if (this.status === 0) return 0
    this.isDone = true
    return PAUSED
  }

  #count(text: string): number {
    this.#headerBytes += text.length
    return this.#headerBytes < MAX_HEADER_BYTES ? 0 : this.#refuse('the headers are too long')
  }

  #refuse(reason: string): number {
    this.reason = reason
    return STOP
  }
}

let answer = new Answer()
const latin1 = (at: number, bytes: number) => Buffer.from(llhttp.memory.buffer, at, bytes).toString('latin1')

const wasm = createRequire(import.meta.url)('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array
const llhttp = new WebAssembly.Instance(new WebAssembly.Module(wasm), {
  env: {
    wasm_on_url: () => 0,
    wasm_on_status: () => 0,
    wasm_on_message_begin: () => 0,
    wasm_on_header_field: (_: number, at: number, bytes: number) => answer.onField(latin1(at, bytes)),
    wasm_on_header_value: (_: number, at: number, bytes: number) => answer.onValue(latin1(at, bytes)),
    wasm_on_headers_complete: (_: number, status: number, isUpgrade: number, shouldKeepAlive: number) =>
      answer.onHeadersComplete(status, isUpgrade === 1, shouldKeepAlive === 1),
    wasm_on_body: (_: number, at: number, bytes: number) => answer.onBody(latin1(at, bytes)),
    wasm_on_message_complete: () => answer.onComplete(),
  },
}).exports as Llhttp

/** @param wire what a server sends before it closes the connection. */
export function readWithLlhttp(wire: Buffer): Verdict {
  answer = new Answer()
  const parser = llhttp.llhttp_alloc(RESPONSE)
  const at = llhttp.malloc(wire.length)
  try {
    Buffer.from(llhttp.memory.buffer, at, wire.length).set(wire)
    const code = llhttp.llhttp_execute(parser, at, wire.length)
    if (code === 0) llhttp.llhttp_finish(parser)
    const { status, headers, body, isDone } = answer
    if (!isDone) return { kind: 'error', reason: answer.reason ?? reasonOf(parser, code) }
    const hasSurplus = code === PAUSED && llhttp.llhttp_get_error_pos(parser) < at + wire.length
    return { kind: 'answer', status, headers, body, isReusable: answer.isReusable && !hasSurplus }
  } finally {
    llhttp.free(at)
    llhttp.llhttp_free(parser)
  }
}

function reasonOf(parser: number, code: number): string {
  const at = llhttp.llhttp_get_error_reason(parser)
  if (code === 0 || at === 0) return 'the answer is incomplete'
  return latin1(at, new Uint8Array(llhttp.memory.buffer, at).indexOf(0))
}
