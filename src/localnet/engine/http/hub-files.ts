import { CHAT_TEMPLATE, SPECIAL_TOKENS, type Tokenizer } from '../language/index.js'

/** Files of a model's hub repository: what HTTP does not tell about a model. Undefined for any other name. */
export function hubFile(name: string, tokenizer: Tokenizer, maxModelLen: number): object | undefined {
  const bos = tokenizer.special('<|begin_of_text|>')
  const endIds = [tokenizer.special('<|end_of_text|>'), tokenizer.special('<|eot_id|>')]
  switch (name) {
    case 'config.json':
      return {
        architectures: ['LlamaForCausalLM'],
        model_type: 'llama',
        vocab_size: tokenizer.size,
        bos_token_id: bos,
        eos_token_id: endIds,
        max_position_embeddings: maxModelLen,
        torch_dtype: 'bfloat16',
      }
    case 'generation_config.json':
      return { bos_token_id: bos, eos_token_id: endIds, do_sample: true, transformers_version: '4.44.0' }
    case 'tokenizer_config.json':
      return {
        added_tokens_decoder: Object.fromEntries(
          SPECIAL_TOKENS.map((content) => [
            tokenizer.special(content),
            { content, lstrip: false, normalized: false, rstrip: false, single_word: false, special: true },
          ]),
        ),
        bos_token: '<|begin_of_text|>',
        eos_token: '<|eot_id|>',
        chat_template: CHAT_TEMPLATE,
        clean_up_tokenization_spaces: false,
        model_max_length: maxModelLen,
        tokenizer_class: 'PreTrainedTokenizerFast',
      }
    default:
      return undefined
  }
}
