-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a20887e3e97082951328c0ad274548', 'manual', 'en', '[]', '{"shelf":null}', 2789460, 1, 4, 5.25, 1795439453171000, 1795439453160000),
    ('default', '01a20887e38b711792d0d28b10f400ea', 'manual', 'en', '[]', '{"shelf":null}', 9147465, 1, 4, 5.25, 1795439453135000, 1795439453068000);

INSERT INTO rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity") VALUES
    ('acme', '01a20887e3f671009cd3afe0094c1998', 'chat-1', 'ada', 'engines', 'manual', NULL, 0, '{}', 2, '01a20887e3f671009cd3afdfbb2c0fb4', 1795439453173000, 1795439453174000),
    ('acme', '01a20887e3f87705a55f9fe588f60d18', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 1, '{"deep":{"er":[1,null]}}', 3, '01a20887e3f87705a55f9fe4b931ee91', 1795439453176000, 1795439453176000),
    ('default', '01a20887e3df7699942eec998e3c937c', 'chat-1', 'ada', 'engines', 'manual', NULL, 0, '{}', 2, '01a20887e3d973cd8d70d1cc8afc7971', 1795439453151000, 1795439453151000),
    ('default', '01a20887e3e5749395b8072b8bd0b5b5', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 1, '{"deep":{"er":[1,null]}}', 3, '01a20887e3e5749395b8072a130772cf', 1795439453157000, 1795439453157000);

INSERT INTO rag_rate_limit ("tenant_id", "policy", "rule", "key", "mark", "used", "previous", "expires_at") VALUES
    ('', 'ip', 'gcra/3600000000', X'93AD33A8426E82CB7B1FC2782134A29C', 1795439597161032000, 0, 0, 1795442400000000),
    ('acme', 'api', 'gcra/60000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795439471177190000, 0, 0, 1795442400000000),
    ('acme', 'api', 'gcra/86400000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795442045177190000, 0, 0, 1795478400000000),
    ('acme', 'gliding', 'sliding/3600000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795438800000000, 1, 0, 1795446000000000),
    ('acme', 'window', 'fixed/3600000000', X'657B7C031B27BED60A8CDF97B28DCCAF', 1795438800000000, 1, 0, 1795442400000000),
    ('default', 'api', 'gcra/60000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795439471160310000, 0, 0, 1795442400000000),
    ('default', 'api', 'gcra/86400000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795442045160310000, 0, 0, 1795478400000000),
    ('default', 'gliding', 'sliding/3600000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795438800000000, 1, 0, 1795446000000000),
    ('default', 'window', 'fixed/3600000000', X'657B7C031B27BED60A8CDF97B28DCCAF', 1795438800000000, 1, 0, 1795442400000000);

INSERT INTO rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a20887e3ec75808a78ceb299bd4f6b', '01a20887e3e97082951328c0ad274548', 'files.html', 'Files', 'guide', NULL, NULL, X'FE8465D91AB2B33B7743C5FB22B453DCA70AA4797EF69EE19D88664D740B1C49', '{"year":2024,"tags":["a","ü"],"none":null}', 2, 1795439453164000, 1795439453164000),
    ('acme', '01a20887e3ef75b1a8812c763df16bd1', '01a20887e3e97082951328c0ad274548', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'41EF89120DEE5D498728B24F8435091FCDE684F4A31D1C33D6D5EB1F28B3BA12', '{"year":2025}', 1, 1795439453166000, 1795439453166000),
    ('acme', '01a20887e3f27056bde0b82d0d327f6d', '01a20887e3e97082951328c0ad274548', '東京', '', NULL, NULL, NULL, X'014ACF8CD0B3196879D84F461F40B6929B75A0482D23D78E12EDAB304CC1DC16', '{}', 1, 1795439453170000, 1795439453170000),
    ('default', '01a20887e3ba7705ad0b57a1a20516f0', '01a20887e38b711792d0d28b10f400ea', 'files.html', 'Files', 'guide', NULL, NULL, X'FE8465D91AB2B33B7743C5FB22B453DCA70AA4797EF69EE19D88664D740B1C49', '{"year":2024,"tags":["a","ü"],"none":null}', 2, 1795439453115000, 1795439453115000),
    ('default', '01a20887e3c874b69986589f999e6027', '01a20887e38b711792d0d28b10f400ea', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'41EF89120DEE5D498728B24F8435091FCDE684F4A31D1C33D6D5EB1F28B3BA12', '{"year":2025}', 1, 1795439453128000, 1795439453128000),
    ('default', '01a20887e3cc77b6baec5d4a1363160d', '01a20887e38b711792d0d28b10f400ea', '東京', '', NULL, NULL, NULL, X'014ACF8CD0B3196879D84F461F40B6929B75A0482D23D78E12EDAB304CC1DC16', '{}', 1, 1795439453131000, 1795439453131000);

INSERT INTO rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a20887e3ea76f5a3d3bfe1ebe8897f', '01a20887e3e97082951328c0ad274548', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795439453162000, NULL, 1795439453162000),
    ('default', '01a20887e38c75928c0ea88563f11cad', '01a20887e38b711792d0d28b10f400ea', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795439453068000, NULL, 1795439453068000);

INSERT INTO rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at") VALUES
    ('acme', '01a20887e3f671009cd3afded15c0cb5', '01a20887e3f671009cd3afe0094c1998', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453174000),
    ('acme', '01a20887e3f671009cd3afdfbb2c0fb4', '01a20887e3f671009cd3afe0094c1998', 2, '01a20887e3f671009cd3afded15c0cb5', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page":"/help"}', 0.8, 'small', 'small-2024', 11, 7, NULL, NULL, 123, 1795439453174000),
    ('acme', '01a20887e3f77605978d160ddad2b26a', '01a20887e3f87705a55f9fe588f60d18', 1, NULL, 'one', 'system', 'complete', 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', NULL, '{"nothing":null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453176000),
    ('acme', '01a20887e3f87705a55f9fe3bbf27ac4', '01a20887e3f87705a55f9fe588f60d18', 2, '01a20887e3f77605978d160ddad2b26a', NULL, 'assistant', 'complete', '', '[{"type":"tool-call","name":"look","args":{"at":"ü"}}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453176000),
    ('acme', '01a20887e3f87705a55f9fe4b931ee91', '01a20887e3f87705a55f9fe588f60d18', 3, '01a20887e3f87705a55f9fe3bbf27ac4', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453176000),
    ('default', '01a20887e3d973cd8d70d1cb8ac968d1', '01a20887e3df7699942eec998e3c937c', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453151000),
    ('default', '01a20887e3d973cd8d70d1cc8afc7971', '01a20887e3df7699942eec998e3c937c', 2, '01a20887e3d973cd8d70d1cb8ac968d1', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page":"/help"}', 0.8, 'small', 'small-2024', 11, 7, NULL, NULL, 123, 1795439453151000),
    ('default', '01a20887e3e5749395b8072818336b08', '01a20887e3e5749395b8072b8bd0b5b5', 1, NULL, 'one', 'system', 'complete', 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', NULL, '{"nothing":null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453157000),
    ('default', '01a20887e3e5749395b80729094d26c7', '01a20887e3e5749395b8072b8bd0b5b5', 2, '01a20887e3e5749395b8072818336b08', NULL, 'assistant', 'complete', '', '[{"type":"tool-call","name":"look","args":{"at":"ü"}}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453157000),
    ('default', '01a20887e3e5749395b8072a130772cf', '01a20887e3e5749395b8072b8bd0b5b5', 3, '01a20887e3e5749395b80729094d26c7', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439453157000);

INSERT INTO rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a20887e3e97082951328c0ad274548', 118313114, 2, 6.93147180559945286226e-01),
    ('acme', '01a20887e3e97082951328c0ad274548', 158137622, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 204080786, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 216577943, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 26077324, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 288092373, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 326297601, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 345457871, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 353133553, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 374033761, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 391822851, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 416086279, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 433403518, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 491211111, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 557278072, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 712114334, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 983902534, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887e3e97082951328c0ad274548', 988780008, 2, 6.93147180559945286226e-01),
    ('default', '01a20887e38b711792d0d28b10f400ea', 118313114, 2, 6.93147180559945286226e-01),
    ('default', '01a20887e38b711792d0d28b10f400ea', 158137622, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 204080786, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 216577943, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 26077324, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 288092373, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 326297601, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 345457871, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 353133553, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 374033761, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 391822851, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 416086279, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 433403518, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 491211111, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 557278072, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 712114334, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 983902534, 1, 1.20397280432593611898e+00),
    ('default', '01a20887e38b711792d0d28b10f400ea', 988780008, 2, 6.93147180559945286226e-01);

INSERT INTO rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a20887e3ec75808a78ceb3a392ebf3', '01a20887e3e97082951328c0ad274548', '01a20887e3ec75808a78ceb299bd4f6b', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', 0, NULL, 1, 'Files', NULL, 1795439453164000),
    ('acme', '01a20887e3ec75808a78ceb4eb761540', '01a20887e3e97082951328c0ad274548', '01a20887e3ec75808a78ceb299bd4f6b', 1, 'Close the file; a with statement does.', X'775D19232CBE3F1A439C3ECB7EE712CA5E2BF6A51C4AFB387F94FA4068A687E0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439453164000),
    ('acme', '01a20887e3ef75b1a8812c7743f871c5', '01a20887e3e97082951328c0ad274548', '01a20887e3ef75b1a8812c763df16bd1', 0, 'A Path joins its parts with a slash.', X'8ACF8893A6BFC14102237B355A750DADA633CDBD3C24C81BD9E34F3DD684D0EC', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439453166000),
    ('acme', '01a20887e3f27056bde0b82e09d13e1a', '01a20887e3e97082951328c0ad274548', '01a20887e3f27056bde0b82d0d327f6d', 0, 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', X'99018EBE6A2EA22E0C6197B71956297960BF8C3C528D4A74F2515AD656527C98', 'en', '{"of":"ü"}', NULL, NULL, NULL, NULL, NULL, 1795439453170000),
    ('default', '01a20887e3bb74ba855a8c9ddc65aae2', '01a20887e38b711792d0d28b10f400ea', '01a20887e3ba7705ad0b57a1a20516f0', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', 0, NULL, 1, 'Files', NULL, 1795439453116000),
    ('default', '01a20887e3bb74ba855a8c9ed127ffb7', '01a20887e38b711792d0d28b10f400ea', '01a20887e3ba7705ad0b57a1a20516f0', 1, 'Close the file; a with statement does.', X'775D19232CBE3F1A439C3ECB7EE712CA5E2BF6A51C4AFB387F94FA4068A687E0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439453116000),
    ('default', '01a20887e3c874b6998658a032bb787d', '01a20887e38b711792d0d28b10f400ea', '01a20887e3c874b69986589f999e6027', 0, 'A Path joins its parts with a slash.', X'8ACF8893A6BFC14102237B355A750DADA633CDBD3C24C81BD9E34F3DD684D0EC', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439453129000),
    ('default', '01a20887e3cc77b6baec5d4b62654ecf', '01a20887e38b711792d0d28b10f400ea', '01a20887e3cc77b6baec5d4a1363160d', 0, 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', X'99018EBE6A2EA22E0C6197B71956297960BF8C3C528D4A74F2515AD656527C98', 'en', '{"of":"ü"}', NULL, NULL, NULL, NULL, NULL, 1795439453132000);

INSERT INTO rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a20887e3f671009cd3afdfbb2c0fb4', 1, '01a20887e3ec75808a78ceb3a392ebf3', '01a20887e3ec75808a78ceb299bd4f6b', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 2.24639294876724671112e+00, 0, NULL, 1, 'Files'),
    ('acme', '01a20887e3f671009cd3afdfbb2c0fb4', 2, NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', 0.5, NULL, NULL, NULL, NULL),
    ('default', '01a20887e3d973cd8d70d1cc8afc7971', 1, '01a20887e3bb74ba855a8c9ddc65aae2', '01a20887e3ba7705ad0b57a1a20516f0', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 2.24639294876724671112e+00, 0, NULL, 1, 'Files'),
    ('default', '01a20887e3d973cd8d70d1cc8afc7971', 2, NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', 0.5, NULL, NULL, NULL, NULL);

INSERT INTO rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a20887e3f671009cd3afdfbb2c0fb4', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439453174000),
    ('default', '01a20887e3d973cd8d70d1cc8afc7971', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439453156000);

INSERT INTO rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a20887e3f77605978d160bb1c46301', '01a20887e3f671009cd3afdfbb2c0fb4', 'ada', -1, NULL, 1795439453174000),
    ('acme', '01a20887e3f77605978d160cc53c277b', '01a20887e3f671009cd3afdfbb2c0fb4', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439453174000),
    ('default', '01a20887e3e470b49bacf23c9f2f44c5', '01a20887e3d973cd8d70d1cc8afc7971', 'ada', -1, NULL, 1795439453156000),
    ('default', '01a20887e3e470b49bacf23dd42b3573', '01a20887e3d973cd8d70d1cc8afc7971', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439453156000);

INSERT INTO rag_vector_change ("tenant_id", "space_id", "added", "removed") VALUES
    ('acme', '01a20887e3ea76f5a3d3bfe1ebe8897f', 3, 0),
    ('default', '01a20887e38c75928c0ea88563f11cad', 3, 0);

INSERT INTO rag_chunk_key ("key", "tenant_id", "collection_id", "chunk_id", "length") VALUES
    (1, 'default', '01a20887e38b711792d0d28b10f400ea', '01a20887e3bb74ba855a8c9ddc65aae2', 6),
    (2, 'default', '01a20887e38b711792d0d28b10f400ea', '01a20887e3bb74ba855a8c9ed127ffb7', 3),
    (3, 'default', '01a20887e38b711792d0d28b10f400ea', '01a20887e3c874b6998658a032bb787d', 4),
    (4, 'default', '01a20887e38b711792d0d28b10f400ea', '01a20887e3cc77b6baec5d4b62654ecf', 8),
    (5, 'acme', '01a20887e3e97082951328c0ad274548', '01a20887e3ec75808a78ceb3a392ebf3', 6),
    (6, 'acme', '01a20887e3e97082951328c0ad274548', '01a20887e3ec75808a78ceb4eb761540', 3),
    (7, 'acme', '01a20887e3e97082951328c0ad274548', '01a20887e3ef75b1a8812c7743f871c5', 4),
    (8, 'acme', '01a20887e3e97082951328c0ad274548', '01a20887e3f27056bde0b82e09d13e1a', 8);

INSERT INTO rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a20887e3ea76f5a3d3bfe1ebe8897f', '01a20887e3ec75808a78ceb3a392ebf3', X'0000803F0000000000000000', NULL, NULL),
    ('acme', '01a20887e3ea76f5a3d3bfe1ebe8897f', '01a20887e3ec75808a78ceb4eb761540', X'000000000000803F00000000', NULL, NULL),
    ('acme', '01a20887e3ea76f5a3d3bfe1ebe8897f', '01a20887e3ef75b1a8812c7743f871c5', X'00000000000000000000803F', NULL, NULL),
    ('default', '01a20887e38c75928c0ea88563f11cad', '01a20887e3bb74ba855a8c9ddc65aae2', X'0000803F0000000000000000', NULL, NULL),
    ('default', '01a20887e38c75928c0ea88563f11cad', '01a20887e3bb74ba855a8c9ed127ffb7', X'000000000000803F00000000', NULL, NULL),
    ('default', '01a20887e38c75928c0ea88563f11cad', '01a20887e3c874b6998658a032bb787d', X'00000000000000000000803F', NULL, NULL);

INSERT INTO rag_posting ("salt", "term", "chunk_key", "frequency", "length") VALUES
    (2789460, 118313114, 5, 1, 6),
    (2789460, 118313114, 6, 1, 3),
    (2789460, 158137622, 8, 1, 8),
    (2789460, 204080786, 6, 1, 3),
    (2789460, 216577943, 8, 1, 8),
    (2789460, 26077324, 8, 1, 8),
    (2789460, 288092373, 6, 1, 3),
    (2789460, 326297601, 7, 1, 4),
    (2789460, 345457871, 8, 1, 8),
    (2789460, 353133553, 8, 1, 8),
    (2789460, 374033761, 5, 2, 6),
    (2789460, 391822851, 8, 1, 8),
    (2789460, 416086279, 7, 1, 4),
    (2789460, 433403518, 5, 1, 6),
    (2789460, 491211111, 7, 1, 4),
    (2789460, 557278072, 8, 1, 8),
    (2789460, 712114334, 8, 1, 8),
    (2789460, 983902534, 5, 1, 6),
    (2789460, 988780008, 5, 1, 6),
    (2789460, 988780008, 7, 1, 4),
    (9147465, 118313114, 1, 1, 6),
    (9147465, 118313114, 2, 1, 3),
    (9147465, 158137622, 4, 1, 8),
    (9147465, 204080786, 2, 1, 3),
    (9147465, 216577943, 4, 1, 8),
    (9147465, 26077324, 4, 1, 8),
    (9147465, 288092373, 2, 1, 3),
    (9147465, 326297601, 3, 1, 4),
    (9147465, 345457871, 4, 1, 8),
    (9147465, 353133553, 4, 1, 8),
    (9147465, 374033761, 1, 2, 6),
    (9147465, 391822851, 4, 1, 8),
    (9147465, 416086279, 3, 1, 4),
    (9147465, 433403518, 1, 1, 6),
    (9147465, 491211111, 3, 1, 4),
    (9147465, 557278072, 4, 1, 8),
    (9147465, 712114334, 4, 1, 8),
    (9147465, 983902534, 1, 1, 6),
    (9147465, 988780008, 1, 1, 6),
    (9147465, 988780008, 3, 1, 4);
