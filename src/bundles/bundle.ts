import { open } from 'node:fs/promises'
import { z } from 'zod'
import { messageOf, parseJson, publicKeyOf, TargonError, verify } from '../kernel/index.js'
import type { Signer } from '../wallet/index.js'
import { bundleError } from './bundle-error.js'
import { keptAnswerSchema } from './kept-answer.js'

const MAX_BUNDLE_BYTES = 64 << 20
const BOUNDS = { depth: 32, values: 2_000_000 }
const MAX_ANSWERS = 1000
const HEAD =
  /^\{"format":"targon-evidence-bundle","version":1,"signer":"(\w{40,60})","signature":"([0-9a-f]{128})","body":/

const body = z.object({
  /** Version of the program that recorded. */
  code: z.string().max(100),
  exportedAt: z.string().max(40),
  miner: z.string().max(128),
  model: z.string().max(512),
  answers: z.array(keptAnswerSchema).min(1).max(MAX_ANSWERS),
})

export type EvidenceBundle = z.infer<typeof body>

/** The text of a bundle: one line, of which the signature covers the exact bytes of the body. */
export function encodeBundle(bundle: EvidenceBundle, signer: Signer): string {
  const text = JSON.stringify(bundle)
  const signature = Buffer.from(signer.sign(signedBytes(text))).toString('hex')
  return `{"format":"targon-evidence-bundle","version":1,"signer":"${signer.address}","signature":"${signature}","body":${text}}\n`
}

/**
 * The content of a bundle and the hotkey that signed it. Await `initSr25519` first.
 *
 * @throws TargonError BUNDLE_INVALID, BUNDLE_SIGNATURE (fault verification)
 */
export function decodeBundle(text: string): { readonly signer: string; readonly bundle: EvidenceBundle } {
  const head = HEAD.exec(text.slice(0, 400))
  const [, signer = '', signature = ''] = head ?? []
  if (!head || !text.endsWith('}\n'))
    throw bundleError(
      'BUNDLE_INVALID',
      'This is not an evidence bundle, or it was cut off.',
      'Ask for the file again, and copy it without changes.',
    )
  const content = text.slice(head[0].length, -2)
  const key = keyOf(signer)
  if (!key || !verify(signedBytes(content), Buffer.from(signature, 'hex'), key))
    throw bundleError(
      'BUNDLE_SIGNATURE',
      `The bundle was changed: the signature of ${signer} does not match.`,
      'Ask for the file again, and copy it without changes.',
    )
  const parsed = body.safeParse(parseJson(content, BOUNDS))
  if (!parsed.success)
    throw bundleError(
      'BUNDLE_INVALID',
      'The bundle is signed, but its content has another format.',
      'Update targon.',
    )
  return { signer, bundle: parsed.data }
}

/** Reads a file of at most 64 MiB. @throws TargonError BUNDLE_FILE (fault usage) and those of `decodeBundle` */
export async function openBundle(path: string): Promise<ReturnType<typeof decodeBundle>> {
  return decodeBundle(await readText(path))
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > MAX_BUNDLE_BYTES) throw new Error(`it is larger than ${MAX_BUNDLE_BYTES} bytes`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (cause) {
    const detail = { code: 'BUNDLE_FILE', fault: 'usage', next: 'Correct the path.' } as const
    throw new TargonError(`Cannot read the bundle ${path}: ${messageOf(cause)}.`, detail, { cause })
  }
}

function signedBytes(text: string): Uint8Array {
  return Buffer.from(`targon-evidence-bundle.1.${text}`, 'utf8')
}

function keyOf(address: string): Uint8Array | undefined {
  try {
    return publicKeyOf(address)
  } catch {
    return undefined
  }
}
