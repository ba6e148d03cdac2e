import { type AsyncBuffer, type FileMetaData, parquetReadObjects } from 'hyparquet'
import { z } from 'zod'

const COLUMN = 'conversations'
const MAX_QUESTION_CHARS = 2_000
const MAX_PAGE_ROWS = 2_000

const turnSchema = z.object({ from: z.string().nullish(), value: z.string() })

/** The questions of one row group, the unit that is fetched and cached. */
export async function readPage(file: AsyncBuffer, metadata: FileMetaData, group: number): Promise<string[]> {
  const counts = metadata.row_groups.map(({ num_rows }) => Number(num_rows))
  const rowStart = counts.slice(0, group).reduce((sum, count) => sum + count, 0)
  const rowEnd = rowStart + Math.min(counts[group] ?? 0, MAX_PAGE_ROWS)
  const rows = await parquetReadObjects({ file, metadata, columns: [COLUMN], rowStart, rowEnd })
  return rows.flatMap((row) => questionOf(row[COLUMN]) ?? [])
}

/** Approximate download size of a row group: the compressed size of the one column that is read. */
export function pageBytes(metadata: FileMetaData, group: number): number {
  const columns = metadata.row_groups[group]?.columns ?? []
  return columns
    .map(({ meta_data: column }) =>
      column?.path_in_schema[0] === COLUMN ? Number(column.total_compressed_size) : 0,
    )
    .reduce((sum, bytes) => sum + bytes, 0)
}

/** The first turn of a conversation if it is the human's. */
function questionOf(conversation: unknown): string | undefined {
  const first = turnSchema.safeParse(Array.isArray(conversation) ? conversation[0] : undefined)
  if (!first.success || (first.data.from ?? 'human') !== 'human') return undefined
  const question = first.data.value.trim().slice(0, MAX_QUESTION_CHARS)
  return question === '' ? undefined : question
}
