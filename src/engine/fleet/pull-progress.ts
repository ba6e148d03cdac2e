import { z } from 'zod'

/** One line of the stream of `POST /images/create`. Docker reports bytes per layer, Podman often only text. */
export const pullLineSchema = z.object({
  error: z.string().optional(),
  status: z.string().optional(),
  stream: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z
    .object({ current: z.number().min(0).optional(), total: z.number().min(0).optional() })
    .nullish(),
})

export type PullLine = z.infer<typeof pullLineSchema>

export interface PullState {
  readonly status: string
  /** From 0 to 100 over the layers whose size is known; undefined while none is. */
  readonly percent: number | undefined
}

interface Layer {
  totalBytes: number
  downloadedBytes: number
  extractedBytes: number
}

/** A layer is downloaded and then extracted, so every byte counts twice. */
const PASSES = 2
const MEGABYTE = 1e6

/** Sums the layers of one pull. Layers that already exist locally have no size and do not count. */
export class PullProgress {
  readonly #layers = new Map<string, Layer>()

  /** @returns undefined for a line without status */
  accept({ id, status, stream, progressDetail }: PullLine): PullState | undefined {
    const text = status ?? stream?.trim()
    if (text === undefined || text === '') return undefined
    if (id !== undefined) this.#update(id, text, progressDetail ?? {})
    return this.#sum(text)
  }

  #update(id: string, status: string, { current, total }: NonNullable<PullLine['progressDetail']>): void {
    const known = this.#layers.get(id)
    const isDone = status === 'Download complete' || status === 'Pull complete'
    if (known === undefined && !total) return
    const layer = known ?? { totalBytes: 0, downloadedBytes: 0, extractedBytes: 0 }
    // Docker may report another size while it extracts a layer; the first one counts.
    if (layer.totalBytes === 0) layer.totalBytes = total ?? 0
    const bytes = Math.min(layer.totalBytes, isDone ? layer.totalBytes : (current ?? 0))
    const isExtracted = status === 'Extracting' || status === 'Pull complete'
    layer.downloadedBytes = isExtracted ? layer.totalBytes : Math.max(layer.downloadedBytes, bytes)
    if (isExtracted) layer.extractedBytes = Math.max(layer.extractedBytes, bytes)
    this.#layers.set(id, layer)
  }

  #sum(text: string): PullState {
    let [total, downloaded, extracted] = [0, 0, 0]
    for (const layer of this.#layers.values()) {
      total += layer.totalBytes
      downloaded += layer.downloadedBytes
      extracted += layer.extractedBytes
    }
    if (total === 0) return { status: text, percent: undefined }
    const megabytes = (bytes: number) => Math.round(bytes / MEGABYTE)
    const isDownloaded = downloaded >= total
    return {
      status: `${megabytes(isDownloaded ? extracted : downloaded)} of ${megabytes(total)} MB ${isDownloaded ? 'unpacked' : 'pulled'}`,
      percent: (100 * (downloaded + extracted)) / (PASSES * total),
    }
  }
}
