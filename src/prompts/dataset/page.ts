import { type AsyncBuffer, type FileMetaData, parquetReadObjects } from 'hyparquet'
import { z } from 'zod'

const COLUMN = 'conversations'
const QUESTION_LENGTH = 2_000
const PAGE_LIMIT = 2_000

const turnSchema = z.object({ from: z.string().nullish(), value: z.string() })

/** Questions of one row group, the unit that is fetched, kept on disk and held in memory. */
export async function readPage(file: AsyncBuffer, metadata: FileMetaData, group: number): Promise<string[]> {
  const counts = metadata.row_groups.map(({ num_rows }) => Number(num_rows))
  const rowStart = counts.slice(0, group).reduce((sum, count) => sum + count, 0)
  const rowEnd = rowStart + Math.min(counts[group] ?? 0, PAGE_LIMIT)
  const rows = await parquetReadObjects({ file, metadata, columns: [COLUMN], rowStart, rowEnd })
  return rows.flatMap((row) => questionOf(row[COLUMN]) ?? [])
}

/** About how many bytes are fetched for a row group: those of the one column that is read. */
export function pageBytes(metadata: FileMetaData, group: number): number {
  const columns = metadata.row_groups[group]?.columns ?? []
  return columns
    .map(({ meta_data: column }) =>
      column?.path_in_schema[0] === COLUMN ? Number(column.total_compressed_size) : 0,
    )
    .reduce((sum, bytes) => sum + bytes, 0)
}

/** First turn of a conversation, when a person speaks it. */
function questionOf(conversation: unknown): string | undefined {
  const first = turnSchema.safeParse(Array.isArray(conversation) ? conversation[0] : undefined)
  if (!first.success || (first.data.from ?? 'human') !== 'human') return undefined
  const question = first.data.value.trim().slice(0, QUESTION_LENGTH)
  return question === '' ? undefined : question
}
