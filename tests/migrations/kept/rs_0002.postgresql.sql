-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO ragstore.rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', 'manual', 'en', '[]', '{"shelf": null}', '2052580', '1', '4', '5.25', '2026-11-23 13:10:54.697246+00', '2026-11-23 13:10:54.662893+00'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', 'manual', 'en', '[]', '{"shelf": null}', '8651042', '1', '4', '5.25', '2026-11-23 13:10:54.59521+00', '2026-11-23 13:10:54.475437+00');

INSERT INTO ragstore.rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity") VALUES
    ('acme', '01a20887-e9f6-70f1-b7f8-a6834bea4701', 'chat-1', 'ada', 'engines', 'manual', NULL, 'false', '{}', '2', '01a20887-e9f4-739e-8d14-3ba46d21d1c8', '2026-11-23 13:10:54.710297+00', '2026-11-23 13:10:54.710764+00'),
    ('acme', '01a20887-e9fb-72b2-803a-28879039ef78', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 'true', '{"deep": {"er": [1, null]}}', '3', '01a20887-e9fa-7123-b1ee-f7fe98919a58', '2026-11-23 13:10:54.715572+00', '2026-11-23 13:10:54.715979+00'),
    ('default', '01a20887-e9aa-740b-88f3-56a56b39f398', 'chat-1', 'ada', 'engines', 'manual', NULL, 'false', '{}', '2', '01a20887-e9a3-7527-b239-a6f99608286c', '2026-11-23 13:10:54.635774+00', '2026-11-23 13:10:54.636986+00'),
    ('default', '01a20887-e9b6-7356-86e0-86d191427ee6', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 'true', '{"deep": {"er": [1, null]}}', '3', '01a20887-e9b6-7356-86e0-86d07d904785', '2026-11-23 13:10:54.646997+00', '2026-11-23 13:10:54.647351+00');

INSERT INTO ragstore.rag_rate_limit ("tenant_id", "policy", "rule", "key", "mark", "used", "previous", "expires_at") VALUES
    ('', 'ip', 'gcra/3600000000', E'\\x93ad33a8426e82cb7b1fc2782134a29c', '1795439598660645000', '0', '0', '2026-11-23 14:00:00+00'),
    ('acme', 'api', 'gcra/60000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795439472719088000', '0', '0', '2026-11-23 14:00:00+00'),
    ('acme', 'api', 'gcra/86400000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795442046719088000', '0', '0', '2026-11-24 00:00:00+00'),
    ('acme', 'gliding', 'sliding/3600000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795438800000000', '1', '0', '2026-11-23 15:00:00+00'),
    ('acme', 'window', 'fixed/3600000000', E'\\x657b7c031b27bed60a8cdf97b28dccaf', '1795438800000000', '1', '0', '2026-11-23 14:00:00+00'),
    ('default', 'api', 'gcra/60000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795439472657029000', '0', '0', '2026-11-23 14:00:00+00'),
    ('default', 'api', 'gcra/86400000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795442046657029000', '0', '0', '2026-11-24 00:00:00+00'),
    ('default', 'gliding', 'sliding/3600000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795438800000000', '1', '0', '2026-11-23 15:00:00+00'),
    ('default', 'window', 'fixed/3600000000', E'\\x657b7c031b27bed60a8cdf97b28dccaf', '1795438800000000', '1', '0', '2026-11-23 14:00:00+00');

INSERT INTO ragstore.rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a20887-e9cc-7452-a59e-7d0321b63e2d', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', 'files.html', 'Files', 'guide', NULL, NULL, E'\\xfe8465d91ab2b33b7743c5fb22b453dca70aa4797ef69ee19d88664d740b1c49', '{"none": null, "tags": ["a", "ü"], "year": 2024}', '2', '2026-11-23 13:10:54.669143+00', '2026-11-23 13:10:54.669143+00'),
    ('acme', '01a20887-e9d8-7408-b763-61d5ef5022a7', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\x41ef89120dee5d498728b24f8435091fcde684f4a31d1c33d6d5eb1f28b3ba12', '{"year": 2025}', '1', '2026-11-23 13:10:54.680981+00', '2026-11-23 13:10:54.680981+00'),
    ('acme', '01a20887-e9e1-74f3-9361-8a3013f212f7', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '東京', '', NULL, NULL, NULL, E'\\x014acf8cd0b3196879d84f461f40b6929b75a0482d23d78e12edab304cc1dc16', '{}', '1', '2026-11-23 13:10:54.690671+00', '2026-11-23 13:10:54.690671+00'),
    ('default', '01a20887-e952-7441-baf7-fa9be52600a2', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', 'files.html', 'Files', 'guide', NULL, NULL, E'\\xfe8465d91ab2b33b7743c5fb22b453dca70aa4797ef69ee19d88664d740b1c49', '{"none": null, "tags": ["a", "ü"], "year": 2024}', '2', '2026-11-23 13:10:54.548608+00', '2026-11-23 13:10:54.548608+00'),
    ('default', '01a20887-e972-719a-8cad-de544658d157', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\x41ef89120dee5d498728b24f8435091fcde684f4a31d1c33d6d5eb1f28b3ba12', '{"year": 2025}', '1', '2026-11-23 13:10:54.57921+00', '2026-11-23 13:10:54.57921+00'),
    ('default', '01a20887-e97c-7396-8f95-907654d688cd', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '東京', '', NULL, NULL, NULL, E'\\x014acf8cd0b3196879d84f461f40b6929b75a0482d23d78e12edab304cc1dc16', '{}', '1', '2026-11-23 13:10:54.589482+00', '2026-11-23 13:10:54.589482+00');

INSERT INTO ragstore.rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a20887-e9c7-71a8-ad56-17d85db34a0d', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 13:10:54.664257+00', NULL, '2026-11-23 13:10:54.664257+00'),
    ('default', '01a20887-e90c-72b1-8410-e5cbf87eec00', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 13:10:54.477217+00', NULL, '2026-11-23 13:10:54.477217+00');

INSERT INTO ragstore.rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at") VALUES
    ('acme', '01a20887-e9f4-739e-8d14-3ba328cf7475', '01a20887-e9f6-70f1-b7f8-a6834bea4701', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.710764+00'),
    ('acme', '01a20887-e9f4-739e-8d14-3ba46d21d1c8', '01a20887-e9f6-70f1-b7f8-a6834bea4701', '2', '01a20887-e9f4-739e-8d14-3ba328cf7475', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page": "/help"}', '0.8', 'small', 'small-2024', '11', '7', NULL, NULL, '123', '2026-11-23 13:10:54.710764+00'),
    ('acme', '01a20887-e9fa-7123-b1ee-f7fcfbb15389', '01a20887-e9fb-72b2-803a-28879039ef78', '1', NULL, 'one', 'system', 'complete', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', NULL, '{"nothing": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.715979+00'),
    ('acme', '01a20887-e9fa-7123-b1ee-f7fd168f876a', '01a20887-e9fb-72b2-803a-28879039ef78', '2', '01a20887-e9fa-7123-b1ee-f7fcfbb15389', NULL, 'assistant', 'complete', '', '[{"args": {"at": "ü"}, "name": "look", "type": "tool-call"}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.715979+00'),
    ('acme', '01a20887-e9fa-7123-b1ee-f7fe98919a58', '01a20887-e9fb-72b2-803a-28879039ef78', '3', '01a20887-e9fa-7123-b1ee-f7fd168f876a', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.715979+00'),
    ('default', '01a20887-e9a3-7527-b239-a6f8a19ad4cb', '01a20887-e9aa-740b-88f3-56a56b39f398', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.636986+00'),
    ('default', '01a20887-e9a3-7527-b239-a6f99608286c', '01a20887-e9aa-740b-88f3-56a56b39f398', '2', '01a20887-e9a3-7527-b239-a6f8a19ad4cb', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page": "/help"}', '0.8', 'small', 'small-2024', '11', '7', NULL, NULL, '123', '2026-11-23 13:10:54.636986+00'),
    ('default', '01a20887-e9b6-7356-86e0-86ce1c672db1', '01a20887-e9b6-7356-86e0-86d191427ee6', '1', NULL, 'one', 'system', 'complete', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', NULL, '{"nothing": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.647351+00'),
    ('default', '01a20887-e9b6-7356-86e0-86cf329eac2d', '01a20887-e9b6-7356-86e0-86d191427ee6', '2', '01a20887-e9b6-7356-86e0-86ce1c672db1', NULL, 'assistant', 'complete', '', '[{"args": {"at": "ü"}, "name": "look", "type": "tool-call"}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.647351+00'),
    ('default', '01a20887-e9b6-7356-86e0-86d07d904785', '01a20887-e9b6-7356-86e0-86d191427ee6', '3', '01a20887-e9b6-7356-86e0-86cf329eac2d', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.647351+00');

INSERT INTO ragstore.rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '118313114', '2', '0.6931471805599453'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '158137622', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '204080786', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '216577943', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '26077324', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '288092373', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '326297601', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '345457871', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '353133553', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '374033761', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '391822851', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '416086279', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '433403518', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '491211111', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '557278072', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '712114334', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '983902534', '1', '1.2039728043259361'),
    ('acme', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '988780008', '2', '0.6931471805599453'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '118313114', '2', '0.6931471805599453'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '158137622', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '204080786', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '216577943', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '26077324', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '288092373', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '326297601', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '345457871', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '353133553', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '374033761', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '391822851', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '416086279', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '433403518', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '491211111', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '557278072', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '712114334', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '983902534', '1', '1.2039728043259361'),
    ('default', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '988780008', '2', '0.6931471805599453');

INSERT INTO ragstore.rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a20887-e9cd-7785-a70f-72c4e6b639a0', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '01a20887-e9cc-7452-a59e-7d0321b63e2d', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', '0', NULL, '1', 'Files', NULL, '2026-11-23 13:10:54.669718+00'),
    ('acme', '01a20887-e9cd-7785-a70f-72c5ad8f0067', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '01a20887-e9cc-7452-a59e-7d0321b63e2d', '1', 'Close the file; a with statement does.', E'\\x775d19232cbe3f1a439c3ecb7ee712ca5e2bf6a51c4afb387f94fa4068a687e0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.669843+00'),
    ('acme', '01a20887-e9d9-73cc-b54d-b52d08118aea', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '01a20887-e9d8-7408-b763-61d5ef5022a7', '0', 'A Path joins its parts with a slash.', E'\\x8acf8893a6bfc14102237b355a750dada633cdbd3c24c81bd9e34f3dd684d0ec', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.681433+00'),
    ('acme', '01a20887-e9e2-77fd-a607-ecc871726907', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '01a20887-e9e1-74f3-9361-8a3013f212f7', '0', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', E'\\x99018ebe6a2ea22e0c6197b71956297960bf8c3c528d4a74f2515ad656527c98', 'en', '{"of": "ü"}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.691289+00'),
    ('default', '01a20887-e955-7010-8918-22508d5dbd20', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '01a20887-e952-7441-baf7-fa9be52600a2', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', '0', NULL, '1', 'Files', NULL, '2026-11-23 13:10:54.550714+00'),
    ('default', '01a20887-e955-7010-8918-22512ac2af30', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '01a20887-e952-7441-baf7-fa9be52600a2', '1', 'Close the file; a with statement does.', E'\\x775d19232cbe3f1a439c3ecb7ee712ca5e2bf6a51c4afb387f94fa4068a687e0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.55156+00'),
    ('default', '01a20887-e973-7064-b1eb-026f36073d24', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '01a20887-e972-719a-8cad-de544658d157', '0', 'A Path joins its parts with a slash.', E'\\x8acf8893a6bfc14102237b355a750dada633cdbd3c24c81bd9e34f3dd684d0ec', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.580027+00'),
    ('default', '01a20887-e97d-7464-a1b4-d292bfc2efd2', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '01a20887-e97c-7396-8f95-907654d688cd', '0', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', E'\\x99018ebe6a2ea22e0c6197b71956297960bf8c3c528d4a74f2515ad656527c98', 'en', '{"of": "ü"}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:54.589893+00');

INSERT INTO ragstore.rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a20887-e9f4-739e-8d14-3ba46d21d1c8', '1', '01a20887-e9cd-7785-a70f-72c4e6b639a0', '01a20887-e9cc-7452-a59e-7d0321b63e2d', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '2.2463929653167725', '0', NULL, '1', 'Files'),
    ('acme', '01a20887-e9f4-739e-8d14-3ba46d21d1c8', '2', NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', '0.5', NULL, NULL, NULL, NULL),
    ('default', '01a20887-e9a3-7527-b239-a6f99608286c', '1', '01a20887-e955-7010-8918-22508d5dbd20', '01a20887-e952-7441-baf7-fa9be52600a2', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '2.2463929653167725', '0', NULL, '1', 'Files'),
    ('default', '01a20887-e9a3-7527-b239-a6f99608286c', '2', NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', '0.5', NULL, NULL, NULL, NULL);

INSERT INTO ragstore.rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a20887-e9f4-739e-8d14-3ba46d21d1c8', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:54.71395+00'),
    ('default', '01a20887-e9a3-7527-b239-a6f99608286c', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:54.64562+00');

INSERT INTO ragstore.rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a20887-e9f8-70cf-99f4-595d6dbd2c48', '01a20887-e9f4-739e-8d14-3ba46d21d1c8', 'ada', '-1', NULL, '2026-11-23 13:10:54.713069+00'),
    ('acme', '01a20887-e9fa-7123-b1ee-f7fb87607d9f', '01a20887-e9f4-739e-8d14-3ba46d21d1c8', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:54.714306+00'),
    ('default', '01a20887-e9b3-7602-ab51-94ab608332d7', '01a20887-e9a3-7527-b239-a6f99608286c', 'ada', '-1', NULL, '2026-11-23 13:10:54.644551+00'),
    ('default', '01a20887-e9b5-738f-a57c-a25f12d05256', '01a20887-e9a3-7527-b239-a6f99608286c', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:54.645953+00');

INSERT INTO ragstore.rag_chunk_terms ("tenant_id", "chunk_id", "collection_id", "generation", "length", "lexemes", "weights", "rest") VALUES
    ('acme', '01a20887-e9cd-7785-a70f-72c4e6b639a0', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '1', '6', '''1f51e4call'':1 ''1f51e4file'':9 ''1f51e4open'':2,7 ''1f51e4path'':5 ''1f51e4read'':11', '{118313114:0.9447853,374033761:1.3218884,433403518:0.9447853,983902534:0.9447853,988780008:0.9447853}/1000000000', NULL),
    ('acme', '01a20887-e9cd-7785-a70f-72c5ad8f0067', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '1', '3', '''1f51e4close'':1 ''1f51e4file'':3 ''1f51e4statement'':6', '{118313114:1.2125984,204080786:1.2125984,288092373:1.2125984}/1000000000', NULL),
    ('acme', '01a20887-e9d9-73cc-b54d-b52d08118aea', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '1', '4', '''1f51e4join'':3 ''1f51e4part'':5 ''1f51e4path'':2 ''1f51e4slash'':8', '{326297601:1.1079136,416086279:1.1079136,491211111:1.1079136,988780008:1.1079136}/1000000000', NULL),
    ('acme', '01a20887-e9e2-77fd-a607-ecc871726907', '01a20887-e9c6-722b-b2e6-d7a26e58fec6', '1', '8', '''1f51e4100'':2 ''1f51e4grösse'':1 ''1f51e4line'':10 ''1f51e4quot'':3 ''1f51e4second'':9 ''1f51e4twice'':4 ''1f51e4שלום'':5 ''1f51e4東京'':6', '{26077324:0.8235294,158137622:0.8235294,216577943:0.8235294,345457871:0.8235294,353133553:0.8235294,391822851:0.8235294,557278072:0.8235294,712114334:0.8235294}/1000000000', NULL),
    ('default', '01a20887-e955-7010-8918-22508d5dbd20', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '1', '6', '''840122call'':1 ''840122file'':9 ''840122open'':2,7 ''840122path'':5 ''840122read'':11', '{118313114:0.9447853,374033761:1.3218884,433403518:0.9447853,983902534:0.9447853,988780008:0.9447853}/1000000000', NULL),
    ('default', '01a20887-e955-7010-8918-22512ac2af30', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '1', '3', '''840122close'':1 ''840122file'':3 ''840122statement'':6', '{118313114:1.2125984,204080786:1.2125984,288092373:1.2125984}/1000000000', NULL),
    ('default', '01a20887-e973-7064-b1eb-026f36073d24', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '1', '4', '''840122join'':3 ''840122part'':5 ''840122path'':2 ''840122slash'':8', '{326297601:1.1079136,416086279:1.1079136,491211111:1.1079136,988780008:1.1079136}/1000000000', NULL),
    ('default', '01a20887-e97d-7464-a1b4-d292bfc2efd2', '01a20887-e90a-76a3-a3c2-3eb5d49d2c4d', '1', '8', '''840122100'':2 ''840122grösse'':1 ''840122line'':10 ''840122quot'':3 ''840122second'':9 ''840122twice'':4 ''840122שלום'':5 ''840122東京'':6', '{26077324:0.8235294,158137622:0.8235294,216577943:0.8235294,345457871:0.8235294,353133553:0.8235294,391822851:0.8235294,557278072:0.8235294,712114334:0.8235294}/1000000000', NULL);

INSERT INTO ragstore.rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a20887-e9c7-71a8-ad56-17d85db34a0d', '01a20887-e9cd-7785-a70f-72c4e6b639a0', '[1,0,0]', NULL, NULL),
    ('acme', '01a20887-e9c7-71a8-ad56-17d85db34a0d', '01a20887-e9cd-7785-a70f-72c5ad8f0067', '[0,1,0]', NULL, NULL),
    ('acme', '01a20887-e9c7-71a8-ad56-17d85db34a0d', '01a20887-e9d9-73cc-b54d-b52d08118aea', '[0,0,1]', NULL, NULL),
    ('default', '01a20887-e90c-72b1-8410-e5cbf87eec00', '01a20887-e955-7010-8918-22508d5dbd20', '[1,0,0]', NULL, NULL),
    ('default', '01a20887-e90c-72b1-8410-e5cbf87eec00', '01a20887-e955-7010-8918-22512ac2af30', '[0,1,0]', NULL, NULL),
    ('default', '01a20887-e90c-72b1-8410-e5cbf87eec00', '01a20887-e973-7064-b1eb-026f36073d24', '[0,0,1]', NULL, NULL);
