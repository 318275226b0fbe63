-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 'manual', 'en', '[]', '{"shelf":null}', 10573323, 1, 4, 5.25, 1795439459244000, 1795439459232000),
    ('default', '01a20887fb2e70c981547b649e4642b2', 'manual', 'en', '[]', '{"shelf":null}', 12210146, 1, 4, 5.25, 1795439459188000, 1795439459119000);

INSERT INTO rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity", "branched", "language", "searchable", "words") VALUES
    ('acme', '01a20887fbae70eabb5743c02cb72297', 'chat-1', 'ada', 'engines', 'manual', NULL, 0, '{}', 2, '01a20887fbae70eabb5743bf1a3aa2d7', 1795439459246000, 1795439459246000, 0, 'en', 2, 8),
    ('acme', '01a20887fbb0702d976ecc73fd98d5e2', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 1, '{"deep":{"er":[1,null]}}', 3, '01a20887fbaf72dd8512ead09f55f210', 1795439459247000, 1795439459247000, 0, 'en', 1, 8),
    ('acme', '01a20887fbb17566bafaf65bccf5393f', 'branched', NULL, NULL, NULL, NULL, 0, '{}', 3, '01a20887fbb17566bafaf65c92f78808', 1795439459248000, 1795439459250000, 1, 'en', 1, 1),
    ('acme', '01a20887fbb37619a0d66e1f2ff9bdc4', 'streamed', NULL, NULL, NULL, NULL, 0, '{}', 1, '01a20887fbb37619a0d66e1e0ea56c6b', 1795439459251000, 1795439459251000, 0, 'en', 0, 0),
    ('default', '01a20887fb7f74f380d0f00fe5886335', 'chat-1', 'ada', 'engines', 'manual', NULL, 0, '{}', 2, '01a20887fb7d734db20e59748a25b117', 1795439459199000, 1795439459200000, 0, 'en', 2, 8),
    ('default', '01a20887fb87752db2d604cdbd8e1735', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 1, '{"deep":{"er":[1,null]}}', 3, '01a20887fb87752db2d604ccebfab36f', 1795439459206000, 1795439459206000, 0, 'en', 1, 8),
    ('default', '01a20887fb89701587fc218a8f5e05e2', 'branched', NULL, NULL, NULL, NULL, 0, '{}', 3, '01a20887fb89701587fc218b64568b4e', 1795439459209000, 1795439459211000, 1, 'en', 1, 1),
    ('default', '01a20887fb8e725b8a3f2f30cc59891e', 'streamed', NULL, NULL, NULL, NULL, 0, '{}', 1, '01a20887fb8e725b8a3f2f2f76cab136', 1795439459213000, 1795439459213000, 0, 'en', 0, 0);

INSERT INTO rag_rate_limit ("tenant_id", "policy", "rule", "key", "mark", "used", "previous", "expires_at") VALUES
    ('', 'ip', 'gcra/3600000000', X'93AD33A8426E82CB7B1FC2782134A29C', 1795439603218436000, 0, 0, 1795442400000000),
    ('acme', 'api', 'gcra/60000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795439477252633000, 0, 0, 1795442400000000),
    ('acme', 'api', 'gcra/86400000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795442051252633000, 0, 0, 1795478400000000),
    ('acme', 'gliding', 'sliding/3600000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795438800000000, 1, 0, 1795446000000000),
    ('acme', 'window', 'fixed/3600000000', X'657B7C031B27BED60A8CDF97B28DCCAF', 1795438800000000, 1, 0, 1795442400000000),
    ('default', 'api', 'gcra/60000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795439477217766000, 0, 0, 1795442400000000),
    ('default', 'api', 'gcra/86400000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795442051217766000, 0, 0, 1795478400000000),
    ('default', 'gliding', 'sliding/3600000000', X'FFE6444FA83EC0B1B34C3D873B656B38', 1795438800000000, 1, 0, 1795446000000000),
    ('default', 'window', 'fixed/3600000000', X'657B7C031B27BED60A8CDF97B28DCCAF', 1795438800000000, 1, 0, 1795442400000000);

INSERT INTO rag_session ("tenant_id", "id", "kind", "user_id", "organisation_id", "secret_hash", "nonce", "generation", "rotated_at", "stamp", "created_at", "last_seen_at", "idle_timeout", "touch_interval", "expires_at", "ends_at", "revoked_at", "revoked_because", "data", "data_version", "schema_version", "ip", "agent", "label") VALUES
    ('acme', '01a20887fbb5711fa1a699c7b4c66d17', 'login', 'ada', 'engines', X'DA2E18C981E71FCF931D815119510111ECA836AC0DF64367F6005E8C64C853FA', X'18148F4476E75BB5BA3293CCEE63C18C4A7D72712C16C3036807C26C47A2623C', 1, 1795439459253000, 0, 1795439459253000, 1795439459253000, 1800000000, 60000000, 1795468259253000, 1795441319253000, NULL, NULL, '{"name":"Ada ü"}', 0, 1, '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('acme', '01a20887fbb676e3ba829bc3b77da752', 'visit', NULL, NULL, X'61194D5702CB8B9EC789826FE942D15FE2A5DF48FC87A91CE89F62F6D935F99E', X'67EEF61ACDA625158F9EAF340A808EFA9AC6F26B14D190206BB21A9A5710B796', 0, 1795439459254000, 0, 1795439459254000, 1795439459254000, 1800000000, 60000000, 1795468259254000, 1795441319254000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL),
    ('acme', '01a20887fbb77258935258060fa83cde', 'login', 'bob', NULL, X'8FF3151615E11F544F0CD17190209B30334CE6D7A91BFED01F975760641B455A', X'63DC7757662392359F3435F57D074C99D7CC018550CA2DE64D4A273907F90C30', 0, 1795439459254000, 0, 1795439459254000, 1795439459254000, 1800000000, 60000000, 1795468259254000, 1795441319254000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL),
    ('default', '01a20887fb95745391e31462d3acab6b', 'login', 'ada', 'engines', X'FED1FFFF2476D51BC0E15D86282AF569E93442490910CF26500F7660C863D4F6', X'8B0CDBE1CAF97B3FD2DCE4E1F837B485CA30D29766979191C6E05A903F1D4ACE', 1, 1795439459229000, 0, 1795439459225000, 1795439459229000, 1800000000, 60000000, 1795468259225000, 1795441319229000, NULL, NULL, '{"name":"Ada ü"}', 0, 1, '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('default', '01a20887fb9d75a7abccd71df8a2d6e3', 'visit', NULL, NULL, X'59B24D1B384B1DD0DC4CC66FFFFDD7498F322241FA5D7F58D39B8E649CABF6C2', X'B12AD577FEC23A64986E9124B3CF8AE4C5D4546E7D3D361FA274E3B631D0169F', 0, 1795439459230000, 0, 1795439459230000, 1795439459230000, 1800000000, 60000000, 1795468259230000, 1795441319230000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL),
    ('default', '01a20887fb9e709db2ec6911ebdce8fe', 'login', 'bob', NULL, X'70FD976195B0AE574B745B00C53221BD236E98D27485BD5790CCAA8F1639D6E6', X'8D76B698A4AB4C683C3A50F64D3606301FCD1587D282126D6D2A18983BAAC4B3', 0, 1795439459230000, 0, 1795439459230000, 1795439459230000, 1800000000, 60000000, 1795468259230000, 1795441319230000, NULL, NULL, '{}', 0, 1, NULL, NULL, NULL);

INSERT INTO rag_session_user ("tenant_id", "user_id", "stamp") VALUES
    ('acme', 'ada', 0),
    ('acme', 'bob', 1),
    ('default', 'ada', 0),
    ('default', 'bob', 1);

INSERT INTO rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a20887fba276d19333f60de28fd81e', '01a20887fba074f3a685e3bf758bd43b', 'files.html', 'Files', 'guide', NULL, NULL, X'FE8465D91AB2B33B7743C5FB22B453DCA70AA4797EF69EE19D88664D740B1C49', '{"year":2024,"tags":["a","ü"],"none":null}', 2, 1795439459234000, 1795439459234000),
    ('acme', '01a20887fba67407a5c6973faecb1180', '01a20887fba074f3a685e3bf758bd43b', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'41EF89120DEE5D498728B24F8435091FCDE684F4A31D1C33D6D5EB1F28B3BA12', '{"year":2025}', 1, 1795439459238000, 1795439459238000),
    ('acme', '01a20887fba9734d840d13b7e6d7bd8d', '01a20887fba074f3a685e3bf758bd43b', '東京', '', NULL, NULL, NULL, X'014ACF8CD0B3196879D84F461F40B6929B75A0482D23D78E12EDAB304CC1DC16', '{}', 1, 1795439459241000, 1795439459241000),
    ('default', '01a20887fb5d769c89b97ee8848a54fc', '01a20887fb2e70c981547b649e4642b2', 'files.html', 'Files', 'guide', NULL, NULL, X'FE8465D91AB2B33B7743C5FB22B453DCA70AA4797EF69EE19D88664D740B1C49', '{"year":2024,"tags":["a","ü"],"none":null}', 2, 1795439459167000, 1795439459167000),
    ('default', '01a20887fb6d7420925ef4db0059ef34', '01a20887fb2e70c981547b649e4642b2', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, X'41EF89120DEE5D498728B24F8435091FCDE684F4A31D1C33D6D5EB1F28B3BA12', '{"year":2025}', 1, 1795439459181000, 1795439459181000),
    ('default', '01a20887fb71718fa73fd06222260f40', '01a20887fb2e70c981547b649e4642b2', '東京', '', NULL, NULL, NULL, X'014ACF8CD0B3196879D84F461F40B6929B75A0482D23D78E12EDAB304CC1DC16', '{}', 1, 1795439459184000, 1795439459184000);

INSERT INTO rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a20887fba074f3a685e3c0ace3e6c8', '01a20887fba074f3a685e3bf758bd43b', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795439459232000, NULL, 1795439459232000),
    ('default', '01a20887fb2f734daaf2bdf3025a4456', '01a20887fb2e70c981547b649e4642b2', 'm', 3, 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, 1795439459120000, NULL, 1795439459120000);

INSERT INTO rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at", "pinned", "updated_at", "annotated", "words", "terms", "counts") VALUES
    ('acme', '01a20887fbae70eabb5743bef181ff8b', '01a20887fbae70eabb5743c02cb72297', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459246000, 0, NULL, 0, 2, X'9A500D07614D4B16', X'0100000001000000'),
    ('acme', '01a20887fbae70eabb5743bf1a3aa2d7', '01a20887fbae70eabb5743c02cb72297', 2, '01a20887fbae70eabb5743bef181ff8b', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page":"/help"}', 0.8, 'small', 'small-2024', 11, 7, NULL, NULL, 123, 1795439459246000, 0, NULL, 1, 6, X'9A500D07614D4B167E36D5194629A53AE895EF3A', X'0100000002000000010000000100000001000000'),
    ('acme', '01a20887fbaf72dd8512eacefa39a979', '01a20887fbb0702d976ecc73fd98d5e2', 1, NULL, 'one', 'system', 'complete', 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', NULL, '{"nothing":null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459247000, 0, NULL, 0, 8, X'8CE88D0116FD6C0997B7E80CCF449714F1630C1503BE5A17786337219E00722A', X'0100000001000000010000000100000001000000010000000100000001000000'),
    ('acme', '01a20887fbaf72dd8512eacf2a51b9a9', '01a20887fbb0702d976ecc73fd98d5e2', 2, '01a20887fbaf72dd8512eacefa39a979', NULL, 'assistant', 'complete', '', '[{"type":"tool-call","name":"look","args":{"at":"ü"}}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459247000, 0, NULL, 0, NULL, NULL, NULL),
    ('acme', '01a20887fbaf72dd8512ead09f55f210', '01a20887fbb0702d976ecc73fd98d5e2', 3, '01a20887fbaf72dd8512eacf2a51b9a9', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459247000, 0, NULL, 0, NULL, NULL, NULL),
    ('acme', '01a20887fbb17566bafaf659c62231b8', '01a20887fbb17566bafaf65bccf5393f', 1, NULL, NULL, 'user', 'complete', 'Which?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459248000, 1, NULL, 0, NULL, NULL, NULL),
    ('acme', '01a20887fbb17566bafaf65acbeae188', '01a20887fbb17566bafaf65bccf5393f', 2, '01a20887fbb17566bafaf659c62231b8', NULL, 'assistant', 'complete', 'That.', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459248000, 0, NULL, 0, NULL, NULL, NULL),
    ('acme', '01a20887fbb17566bafaf65c92f78808', '01a20887fbb17566bafaf65bccf5393f', 3, NULL, NULL, 'user', 'complete', 'Which owl?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459250000, 0, NULL, 0, 1, X'6A470807', X'01000000'),
    ('acme', '01a20887fbb37619a0d66e1e0ea56c6b', '01a20887fbb37619a0d66e1f2ff9bdc4', 1, NULL, NULL, 'assistant', 'streaming', 'The first half of ', NULL, '{"streamed":true}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459251000, 0, 1795439459252000, 0, NULL, NULL, NULL),
    ('default', '01a20887fb7d734db20e597370428cfd', '01a20887fb7f74f380d0f00fe5886335', 1, NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459200000, 0, NULL, 0, 2, X'9A500D07614D4B16', X'0100000001000000'),
    ('default', '01a20887fb7d734db20e59748a25b117', '01a20887fb7f74f380d0f00fe5886335', 2, '01a20887fb7d734db20e597370428cfd', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page":"/help"}', 0.8, 'small', 'small-2024', 11, 7, NULL, NULL, 123, 1795439459200000, 0, NULL, 1, 6, X'9A500D07614D4B167E36D5194629A53AE895EF3A', X'0100000002000000010000000100000001000000'),
    ('default', '01a20887fb8677af81065f1463e7f238', '01a20887fb87752db2d604cdbd8e1735', 1, NULL, 'one', 'system', 'complete', 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', NULL, '{"nothing":null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459206000, 0, NULL, 0, 8, X'8CE88D0116FD6C0997B7E80CCF449714F1630C1503BE5A17786337219E00722A', X'0100000001000000010000000100000001000000010000000100000001000000'),
    ('default', '01a20887fb8677af81065f15d818305a', '01a20887fb87752db2d604cdbd8e1735', 2, '01a20887fb8677af81065f1463e7f238', NULL, 'assistant', 'complete', '', '[{"type":"tool-call","name":"look","args":{"at":"ü"}}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459206000, 0, NULL, 0, NULL, NULL, NULL),
    ('default', '01a20887fb87752db2d604ccebfab36f', '01a20887fb87752db2d604cdbd8e1735', 3, '01a20887fb8677af81065f15d818305a', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459206000, 0, NULL, 0, NULL, NULL, NULL),
    ('default', '01a20887fb8876fabf3e56f366837870', '01a20887fb89701587fc218a8f5e05e2', 1, NULL, NULL, 'user', 'complete', 'Which?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459209000, 1, NULL, 0, NULL, NULL, NULL),
    ('default', '01a20887fb8876fabf3e56f403fa9024', '01a20887fb89701587fc218a8f5e05e2', 2, '01a20887fb8876fabf3e56f366837870', NULL, 'assistant', 'complete', 'That.', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459209000, 0, NULL, 0, NULL, NULL, NULL),
    ('default', '01a20887fb89701587fc218b64568b4e', '01a20887fb89701587fc218a8f5e05e2', 3, NULL, NULL, 'user', 'complete', 'Which owl?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459211000, 0, NULL, 0, 1, X'6A470807', X'01000000'),
    ('default', '01a20887fb8e725b8a3f2f2f76cab136', '01a20887fb8e725b8a3f2f30cc59891e', 1, NULL, NULL, 'assistant', 'streaming', 'The first half of ', NULL, '{"streamed":true}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795439459213000, 0, 1795439459216000, 0, NULL, NULL, NULL);

INSERT INTO rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 118313114, 2, 6.93147180559945286226e-01),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 158137622, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 204080786, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 216577943, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 26077324, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 288092373, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 326297601, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 345457871, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 353133553, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 374033761, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 391822851, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 416086279, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 433403518, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 491211111, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 557278072, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 712114334, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 983902534, 1, 1.20397280432593611898e+00),
    ('acme', '01a20887fba074f3a685e3bf758bd43b', 988780008, 2, 6.93147180559945286226e-01),
    ('default', '01a20887fb2e70c981547b649e4642b2', 118313114, 2, 6.93147180559945286226e-01),
    ('default', '01a20887fb2e70c981547b649e4642b2', 158137622, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 204080786, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 216577943, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 26077324, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 288092373, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 326297601, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 345457871, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 353133553, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 374033761, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 391822851, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 416086279, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 433403518, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 491211111, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 557278072, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 712114334, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 983902534, 1, 1.20397280432593611898e+00),
    ('default', '01a20887fb2e70c981547b649e4642b2', 988780008, 2, 6.93147180559945286226e-01);

INSERT INTO rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a20887fba374308f7d200b823b06e6', '01a20887fba074f3a685e3bf758bd43b', '01a20887fba276d19333f60de28fd81e', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', 0, NULL, 1, 'Files', NULL, 1795439459234000),
    ('acme', '01a20887fba374308f7d200c834ee004', '01a20887fba074f3a685e3bf758bd43b', '01a20887fba276d19333f60de28fd81e', 1, 'Close the file; a with statement does.', X'775D19232CBE3F1A439C3ECB7EE712CA5E2BF6A51C4AFB387F94FA4068A687E0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439459234000),
    ('acme', '01a20887fba67407a5c697400afdc129', '01a20887fba074f3a685e3bf758bd43b', '01a20887fba67407a5c6973faecb1180', 0, 'A Path joins its parts with a slash.', X'8ACF8893A6BFC14102237B355A750DADA633CDBD3C24C81BD9E34F3DD684D0EC', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439459239000),
    ('acme', '01a20887fbaa777fbf0564ad686e21ee', '01a20887fba074f3a685e3bf758bd43b', '01a20887fba9734d840d13b7e6d7bd8d', 0, 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', X'99018EBE6A2EA22E0C6197B71956297960BF8C3C528D4A74F2515AD656527C98', 'en', '{"of":"ü"}', NULL, NULL, NULL, NULL, NULL, 1795439459241000),
    ('default', '01a20887fb5f76279f613214aed36ad6', '01a20887fb2e70c981547b649e4642b2', '01a20887fb5d769c89b97ee8848a54fc', 0, 'Call open() with a path to open a file for reading.', X'0103689A017CFFAE0FF77BF32BC2AD3CC91C7218C62817E3ABDCB5D788AFA0AA', 'en', '{}', 0, NULL, 1, 'Files', NULL, 1795439459168000),
    ('default', '01a20887fb5f76279f613215fc6919f5', '01a20887fb2e70c981547b649e4642b2', '01a20887fb5d769c89b97ee8848a54fc', 1, 'Close the file; a with statement does.', X'775D19232CBE3F1A439C3ECB7EE712CA5E2BF6A51C4AFB387F94FA4068A687E0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439459168000),
    ('default', '01a20887fb6d7420925ef4dce00dd39c', '01a20887fb2e70c981547b649e4642b2', '01a20887fb6d7420925ef4db0059ef34', 0, 'A Path joins its parts with a slash.', X'8ACF8893A6BFC14102237B355A750DADA633CDBD3C24C81BD9E34F3DD684D0EC', 'en', '{}', NULL, NULL, NULL, NULL, NULL, 1795439459181000),
    ('default', '01a20887fb71718fa73fd063b970d6b8', '01a20887fb2e70c981547b649e4642b2', '01a20887fb71718fa73fd06222260f40', 0, 'Größe 100 %; ''quoted'' "twice" \ שלום 東京 🦉
and a second line', X'99018EBE6A2EA22E0C6197B71956297960BF8C3C528D4A74F2515AD656527C98', 'en', '{"of":"ü"}', NULL, NULL, NULL, NULL, NULL, 1795439459185000);

INSERT INTO rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a20887fbae70eabb5743bf1a3aa2d7', 1, '01a20887fba374308f7d200b823b06e6', '01a20887fba276d19333f60de28fd81e', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 2.24639294876724671112e+00, 0, NULL, 1, 'Files'),
    ('acme', '01a20887fbae70eabb5743bf1a3aa2d7', 2, NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', 0.5, NULL, NULL, NULL, NULL),
    ('default', '01a20887fb7d734db20e59748a25b117', 1, '01a20887fb5f76279f613214aed36ad6', '01a20887fb5d769c89b97ee8848a54fc', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', 2.24639294876724671112e+00, 0, NULL, 1, 'Files'),
    ('default', '01a20887fb7d734db20e59748a25b117', 2, NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', 0.5, NULL, NULL, NULL, NULL);

INSERT INTO rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a20887fbae70eabb5743bf1a3aa2d7', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439459246000),
    ('default', '01a20887fb7d734db20e59748a25b117', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439459205000);

INSERT INTO rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a20887fbaf72dd8512eaccec854b8b', '01a20887fbae70eabb5743bf1a3aa2d7', 'ada', -1, NULL, 1795439459246000),
    ('acme', '01a20887fbaf72dd8512eacdf456c501', '01a20887fbae70eabb5743bf1a3aa2d7', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439459246000),
    ('default', '01a20887fb8573d39da6090ea2ea03c5', '01a20887fb7d734db20e59748a25b117', 'ada', -1, NULL, 1795439459204000),
    ('default', '01a20887fb8677af81065f139ff5faec', '01a20887fb7d734db20e59748a25b117', 'ada', 1, 'Now I see: ''open'' — 👍', 1795439459205000);

INSERT INTO rag_vector_change ("tenant_id", "space_id", "added", "removed") VALUES
    ('acme', '01a20887fba074f3a685e3c0ace3e6c8', 3, 0),
    ('default', '01a20887fb2f734daaf2bdf3025a4456', 3, 0);

INSERT INTO rag_chunk_key ("key", "tenant_id", "collection_id", "chunk_id", "length") VALUES
    (1, 'default', '01a20887fb2e70c981547b649e4642b2', '01a20887fb5f76279f613214aed36ad6', 6),
    (2, 'default', '01a20887fb2e70c981547b649e4642b2', '01a20887fb5f76279f613215fc6919f5', 3),
    (3, 'default', '01a20887fb2e70c981547b649e4642b2', '01a20887fb6d7420925ef4dce00dd39c', 4),
    (4, 'default', '01a20887fb2e70c981547b649e4642b2', '01a20887fb71718fa73fd063b970d6b8', 8),
    (5, 'acme', '01a20887fba074f3a685e3bf758bd43b', '01a20887fba374308f7d200b823b06e6', 6),
    (6, 'acme', '01a20887fba074f3a685e3bf758bd43b', '01a20887fba374308f7d200c834ee004', 3),
    (7, 'acme', '01a20887fba074f3a685e3bf758bd43b', '01a20887fba67407a5c697400afdc129', 4),
    (8, 'acme', '01a20887fba074f3a685e3bf758bd43b', '01a20887fbaa777fbf0564ad686e21ee', 8);

INSERT INTO rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a20887fba074f3a685e3c0ace3e6c8', '01a20887fba374308f7d200b823b06e6', X'0000803F0000000000000000', NULL, NULL),
    ('acme', '01a20887fba074f3a685e3c0ace3e6c8', '01a20887fba374308f7d200c834ee004', X'000000000000803F00000000', NULL, NULL),
    ('acme', '01a20887fba074f3a685e3c0ace3e6c8', '01a20887fba67407a5c697400afdc129', X'00000000000000000000803F', NULL, NULL),
    ('default', '01a20887fb2f734daaf2bdf3025a4456', '01a20887fb5f76279f613214aed36ad6', X'0000803F0000000000000000', NULL, NULL),
    ('default', '01a20887fb2f734daaf2bdf3025a4456', '01a20887fb5f76279f613215fc6919f5', X'000000000000803F00000000', NULL, NULL),
    ('default', '01a20887fb2f734daaf2bdf3025a4456', '01a20887fb6d7420925ef4dce00dd39c', X'00000000000000000000803F', NULL, NULL);

INSERT INTO rag_posting ("salt", "term", "chunk_key", "frequency", "length") VALUES
    (10573323, 118313114, 5, 1, 6),
    (10573323, 118313114, 6, 1, 3),
    (10573323, 158137622, 8, 1, 8),
    (10573323, 204080786, 6, 1, 3),
    (10573323, 216577943, 8, 1, 8),
    (10573323, 26077324, 8, 1, 8),
    (10573323, 288092373, 6, 1, 3),
    (10573323, 326297601, 7, 1, 4),
    (10573323, 345457871, 8, 1, 8),
    (10573323, 353133553, 8, 1, 8),
    (10573323, 374033761, 5, 2, 6),
    (10573323, 391822851, 8, 1, 8),
    (10573323, 416086279, 7, 1, 4),
    (10573323, 433403518, 5, 1, 6),
    (10573323, 491211111, 7, 1, 4),
    (10573323, 557278072, 8, 1, 8),
    (10573323, 712114334, 8, 1, 8),
    (10573323, 983902534, 5, 1, 6),
    (10573323, 988780008, 5, 1, 6),
    (10573323, 988780008, 7, 1, 4),
    (12210146, 118313114, 1, 1, 6),
    (12210146, 118313114, 2, 1, 3),
    (12210146, 158137622, 4, 1, 8),
    (12210146, 204080786, 2, 1, 3),
    (12210146, 216577943, 4, 1, 8),
    (12210146, 26077324, 4, 1, 8),
    (12210146, 288092373, 2, 1, 3),
    (12210146, 326297601, 3, 1, 4),
    (12210146, 345457871, 4, 1, 8),
    (12210146, 353133553, 4, 1, 8),
    (12210146, 374033761, 1, 2, 6),
    (12210146, 391822851, 4, 1, 8),
    (12210146, 416086279, 3, 1, 4),
    (12210146, 433403518, 1, 1, 6),
    (12210146, 491211111, 3, 1, 4),
    (12210146, 557278072, 4, 1, 8),
    (12210146, 712114334, 4, 1, 8),
    (12210146, 983902534, 1, 1, 6),
    (12210146, 988780008, 1, 1, 6),
    (12210146, 988780008, 3, 1, 4);
