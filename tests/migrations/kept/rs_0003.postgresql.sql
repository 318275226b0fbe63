-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO ragstore.rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', 'manual', 'en', '[]', '{"shelf": null}', '15761455', '1', '4', '5.25', '2026-11-23 13:10:57.713435+00', '2026-11-23 13:10:57.68381+00'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', 'manual', 'en', '[]', '{"shelf": null}', '16724228', '1', '4', '5.25', '2026-11-23 13:10:57.58443+00', '2026-11-23 13:10:57.464137+00');

INSERT INTO ragstore.rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity") VALUES
    ('acme', '01a20887-f5be-70f2-875c-31a5692be165', 'chat-1', 'ada', 'engines', 'manual', NULL, 'false', '{}', '2', '01a20887-f5bc-70eb-92ed-a856cbb69adf', '2026-11-23 13:10:57.726603+00', '2026-11-23 13:10:57.727158+00'),
    ('acme', '01a20887-f5c4-7513-848b-9048f5ae9885', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 'true', '{"deep": {"er": [1, null]}}', '3', '01a20887-f5c3-73c0-8125-c82f03d45db2', '2026-11-23 13:10:57.732566+00', '2026-11-23 13:10:57.733029+00'),
    ('default', '01a20887-f562-74ef-ae7b-1bdd3e4e4e76', 'chat-1', 'ada', 'engines', 'manual', NULL, 'false', '{}', '2', '01a20887-f55b-739a-9eb5-c4f3efa3d849', '2026-11-23 13:10:57.635076+00', '2026-11-23 13:10:57.63608+00'),
    ('default', '01a20887-f56c-72ba-92d5-964a8d4482dc', 'nobody''s', NULL, NULL, NULL, 'Pinned; ''quoted''', 'true', '{"deep": {"er": [1, null]}}', '3', '01a20887-f56c-72ba-92d5-9649019a89ab', '2026-11-23 13:10:57.644885+00', '2026-11-23 13:10:57.645235+00');

INSERT INTO ragstore.rag_rate_limit ("tenant_id", "policy", "rule", "key", "mark", "used", "previous", "expires_at") VALUES
    ('', 'ip', 'gcra/3600000000', E'\\x93ad33a8426e82cb7b1fc2782134a29c', '1795439601659357000', '0', '0', '2026-11-23 14:00:00+00'),
    ('acme', 'api', 'gcra/60000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795439475736329000', '0', '0', '2026-11-23 14:00:00+00'),
    ('acme', 'api', 'gcra/86400000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795442049736329000', '0', '0', '2026-11-24 00:00:00+00'),
    ('acme', 'gliding', 'sliding/3600000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795438800000000', '1', '0', '2026-11-23 15:00:00+00'),
    ('acme', 'window', 'fixed/3600000000', E'\\x657b7c031b27bed60a8cdf97b28dccaf', '1795438800000000', '1', '0', '2026-11-23 14:00:00+00'),
    ('default', 'api', 'gcra/60000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795439475655743000', '0', '0', '2026-11-23 14:00:00+00'),
    ('default', 'api', 'gcra/86400000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795442049655743000', '0', '0', '2026-11-24 00:00:00+00'),
    ('default', 'gliding', 'sliding/3600000000', E'\\xffe6444fa83ec0b1b34c3d873b656b38', '1795438800000000', '1', '0', '2026-11-23 15:00:00+00'),
    ('default', 'window', 'fixed/3600000000', E'\\x657b7c031b27bed60a8cdf97b28dccaf', '1795438800000000', '1', '0', '2026-11-23 14:00:00+00');

INSERT INTO ragstore.rag_session ("tenant_id", "id", "kind", "user_id", "organisation_id", "secret_hash", "nonce", "generation", "rotated_at", "stamp", "created_at", "last_seen_at", "idle_timeout", "touch_interval", "expires_at", "ends_at", "revoked_at", "revoked_because", "data", "data_version", "schema_version", "ip", "agent", "label") VALUES
    ('acme', '01a20887-f5cb-7181-a96f-3e2737d48dd7', 'login', 'ada', 'engines', E'\\xc1bf3843059554ff2e3565e088a866292e46ac2d947e705e307e942ade0cc4e7', E'\\x5fc14bf87c24ca3b34eb2c89246277672b0bcf641f26dab0737d987c56cc1481', '1', '2026-11-23 13:10:57.742664+00', '0', '2026-11-23 13:10:57.740321+00', '2026-11-23 13:10:57.742664+00', '1800000000', '60000000', '2026-11-23 21:10:57.740321+00', '2026-11-23 13:41:57.742664+00', NULL, NULL, '{"name": "Ada ü"}', '0', '1', '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('acme', '01a20887-f5cf-73a5-b839-1fb169490330', 'visit', NULL, NULL, E'\\x50b49abe53c4403e0dd62791b7d4aeef47d6bacc98670fdec1346260a23a209a', E'\\x4c7e6f2d3348200953607b8864e84e38e55792220f8c75941a6db6613cb89bc7', '0', '2026-11-23 13:10:57.743999+00', '0', '2026-11-23 13:10:57.743999+00', '2026-11-23 13:10:57.743999+00', '1800000000', '60000000', '2026-11-23 21:10:57.743999+00', '2026-11-23 13:41:57.743999+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL),
    ('acme', '01a20887-f5d1-7415-aa3a-5469ee18036a', 'login', 'bob', NULL, E'\\x2bc8e716b2e770361ac76583288ccdaf238fa471d8aa5515d72ac92f7ba897d3', E'\\xcc0d487a55e5cd769e970405a4df68d235b6dfa50a3846905e8afc9eea3577f7', '0', '2026-11-23 13:10:57.745921+00', '0', '2026-11-23 13:10:57.745921+00', '2026-11-23 13:10:57.745921+00', '1800000000', '60000000', '2026-11-23 21:10:57.745921+00', '2026-11-23 13:41:57.745921+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL),
    ('default', '01a20887-f584-75ef-9388-e121202211ef', 'login', 'ada', 'engines', E'\\x59b309842b5a7b837c02869632d45ff4c66ff105d6c1940a0ba91583b319e2ca', E'\\xccf8f70d4fa619d83227a3ff18b12487456d3fd59e530f5c5b6660c92ffc6345', '1', '2026-11-23 13:10:57.677695+00', '0', '2026-11-23 13:10:57.672019+00', '2026-11-23 13:10:57.677695+00', '1800000000', '60000000', '2026-11-23 21:10:57.672019+00', '2026-11-23 13:41:57.677695+00', NULL, NULL, '{"name": "Ada ü"}', '0', '1', '192.0.2.0/24', 'A browser/1.0', 'laptop'),
    ('default', '01a20887-f58e-7754-8979-556bf2f82853', 'visit', NULL, NULL, E'\\xe909b9d6542913312f580aefbafe46a2d6fad8d3ae7b1e4a79f1ad962a73a507', E'\\x21efe40701ae106637e631901e08a6cef3a1c554a001b56e8c5a24cc4fd08418', '0', '2026-11-23 13:10:57.679076+00', '0', '2026-11-23 13:10:57.679076+00', '2026-11-23 13:10:57.679076+00', '1800000000', '60000000', '2026-11-23 21:10:57.679076+00', '2026-11-23 13:41:57.679076+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL),
    ('default', '01a20887-f590-7311-b123-d8c40a75247a', 'login', 'bob', NULL, E'\\xe72075c088b77eb6de0211e7f48add391d33b84a8497b427d168fcdd0adcbdc2', E'\\xf8cd9ef5def5010d336f44b4b9193eeef14afe34fae18b8aa7afa866542c2d47', '0', '2026-11-23 13:10:57.681109+00', '0', '2026-11-23 13:10:57.681109+00', '2026-11-23 13:10:57.681109+00', '1800000000', '60000000', '2026-11-23 21:10:57.681109+00', '2026-11-23 13:41:57.681109+00', NULL, NULL, '{}', '0', '1', NULL, NULL, NULL);

INSERT INTO ragstore.rag_session_user ("tenant_id", "user_id", "stamp") VALUES
    ('acme', 'ada', '0'),
    ('acme', 'bob', '1'),
    ('default', 'ada', '0'),
    ('default', 'bob', '1');

INSERT INTO ragstore.rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a20887-f598-7047-99cf-6a3f7adcd693', '01a20887-f593-773e-a29f-ecef330db95e', 'files.html', 'Files', 'guide', NULL, NULL, E'\\xfe8465d91ab2b33b7743c5fb22b453dca70aa4797ef69ee19d88664d740b1c49', '{"none": null, "tags": ["a", "ü"], "year": 2024}', '2', '2026-11-23 13:10:57.688743+00', '2026-11-23 13:10:57.688743+00'),
    ('acme', '01a20887-f5a2-75a6-b73d-8ccc0ee075cd', '01a20887-f593-773e-a29f-ecef330db95e', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\x41ef89120dee5d498728b24f8435091fcde684f4a31d1c33d6d5eb1f28b3ba12', '{"year": 2025}', '1', '2026-11-23 13:10:57.699277+00', '2026-11-23 13:10:57.699277+00'),
    ('acme', '01a20887-f5ab-70f0-a6e6-d7ac02576a71', '01a20887-f593-773e-a29f-ecef330db95e', '東京', '', NULL, NULL, NULL, E'\\x014acf8cd0b3196879d84f461f40b6929b75a0482d23d78e12edab304cc1dc16', '{}', '1', '2026-11-23 13:10:57.707913+00', '2026-11-23 13:10:57.707913+00'),
    ('default', '01a20887-f4f7-7692-8108-469853d05d49', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', 'files.html', 'Files', 'guide', NULL, NULL, E'\\xfe8465d91ab2b33b7743c5fb22b453dca70aa4797ef69ee19d88664d740b1c49', '{"none": null, "tags": ["a", "ü"], "year": 2024}', '2', '2026-11-23 13:10:57.529513+00', '2026-11-23 13:10:57.529513+00'),
    ('default', '01a20887-f51a-76af-b356-4a59ff5b5948', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\x41ef89120dee5d498728b24f8435091fcde684f4a31d1c33d6d5eb1f28b3ba12', '{"year": 2025}', '1', '2026-11-23 13:10:57.563828+00', '2026-11-23 13:10:57.563828+00'),
    ('default', '01a20887-f528-7140-a49f-53658e187ea2', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '東京', '', NULL, NULL, NULL, E'\\x014acf8cd0b3196879d84f461f40b6929b75a0482d23d78e12edab304cc1dc16', '{}', '1', '2026-11-23 13:10:57.577019+00', '2026-11-23 13:10:57.577019+00');

INSERT INTO ragstore.rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a20887-f594-7224-8fa5-36ed8129ba64', '01a20887-f593-773e-a29f-ecef330db95e', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 13:10:57.684893+00', NULL, '2026-11-23 13:10:57.684893+00'),
    ('default', '01a20887-f4b9-74f7-8b98-bb4cdb15acd3', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 13:10:57.466249+00', NULL, '2026-11-23 13:10:57.466249+00');

INSERT INTO ragstore.rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at") VALUES
    ('acme', '01a20887-f5bc-70eb-92ed-a855f751aa43', '01a20887-f5be-70f2-875c-31a5692be165', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.727158+00'),
    ('acme', '01a20887-f5bc-70eb-92ed-a856cbb69adf', '01a20887-f5be-70f2-875c-31a5692be165', '2', '01a20887-f5bc-70eb-92ed-a855f751aa43', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page": "/help"}', '0.8', 'small', 'small-2024', '11', '7', NULL, NULL, '123', '2026-11-23 13:10:57.727158+00'),
    ('acme', '01a20887-f5c3-73c0-8125-c82d7bbefbb6', '01a20887-f5c4-7513-848b-9048f5ae9885', '1', NULL, 'one', 'system', 'complete', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', NULL, '{"nothing": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.733029+00'),
    ('acme', '01a20887-f5c3-73c0-8125-c82ed7c22a96', '01a20887-f5c4-7513-848b-9048f5ae9885', '2', '01a20887-f5c3-73c0-8125-c82d7bbefbb6', NULL, 'assistant', 'complete', '', '[{"args": {"at": "ü"}, "name": "look", "type": "tool-call"}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.733029+00'),
    ('acme', '01a20887-f5c3-73c0-8125-c82f03d45db2', '01a20887-f5c4-7513-848b-9048f5ae9885', '3', '01a20887-f5c3-73c0-8125-c82ed7c22a96', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.733029+00'),
    ('default', '01a20887-f55b-739a-9eb5-c4f224b03251', '01a20887-f562-74ef-ae7b-1bdd3e4e4e76', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.63608+00'),
    ('default', '01a20887-f55b-739a-9eb5-c4f3efa3d849', '01a20887-f562-74ef-ae7b-1bdd3e4e4e76', '2', '01a20887-f55b-739a-9eb5-c4f224b03251', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{"page": "/help"}', '0.8', 'small', 'small-2024', '11', '7', NULL, NULL, '123', '2026-11-23 13:10:57.63608+00'),
    ('default', '01a20887-f56c-72ba-92d5-9647e32624b5', '01a20887-f56c-72ba-92d5-964a8d4482dc', '1', NULL, 'one', 'system', 'complete', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', NULL, '{"nothing": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.645235+00'),
    ('default', '01a20887-f56c-72ba-92d5-9648db1a6098', '01a20887-f56c-72ba-92d5-964a8d4482dc', '2', '01a20887-f56c-72ba-92d5-9647e32624b5', NULL, 'assistant', 'complete', '', '[{"args": {"at": "ü"}, "name": "look", "type": "tool-call"}]', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.645235+00'),
    ('default', '01a20887-f56c-72ba-92d5-9649019a89ab', '01a20887-f56c-72ba-92d5-964a8d4482dc', '3', '01a20887-f56c-72ba-92d5-9648db1a6098', NULL, 'tool', 'complete', '', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.645235+00');

INSERT INTO ragstore.rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '118313114', '2', '0.6931471805599453'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '158137622', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '204080786', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '216577943', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '26077324', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '288092373', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '326297601', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '345457871', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '353133553', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '374033761', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '391822851', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '416086279', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '433403518', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '491211111', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '557278072', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '712114334', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '983902534', '1', '1.2039728043259361'),
    ('acme', '01a20887-f593-773e-a29f-ecef330db95e', '988780008', '2', '0.6931471805599453'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '118313114', '2', '0.6931471805599453'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '158137622', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '204080786', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '216577943', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '26077324', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '288092373', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '326297601', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '345457871', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '353133553', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '374033761', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '391822851', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '416086279', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '433403518', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '491211111', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '557278072', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '712114334', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '983902534', '1', '1.2039728043259361'),
    ('default', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '988780008', '2', '0.6931471805599453');

INSERT INTO ragstore.rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a20887-f598-7047-99cf-6a40d5075411', '01a20887-f593-773e-a29f-ecef330db95e', '01a20887-f598-7047-99cf-6a3f7adcd693', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', '0', NULL, '1', 'Files', NULL, '2026-11-23 13:10:57.689196+00'),
    ('acme', '01a20887-f598-7047-99cf-6a41e9b98c1c', '01a20887-f593-773e-a29f-ecef330db95e', '01a20887-f598-7047-99cf-6a3f7adcd693', '1', 'Close the file; a with statement does.', E'\\x775d19232cbe3f1a439c3ecb7ee712ca5e2bf6a51c4afb387f94fa4068a687e0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.689366+00'),
    ('acme', '01a20887-f5a3-779d-a5bb-b808169a4e2e', '01a20887-f593-773e-a29f-ecef330db95e', '01a20887-f5a2-75a6-b73d-8ccc0ee075cd', '0', 'A Path joins its parts with a slash.', E'\\x8acf8893a6bfc14102237b355a750dada633cdbd3c24c81bd9e34f3dd684d0ec', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.699653+00'),
    ('acme', '01a20887-f5ac-775e-b7f1-771cda879f3b', '01a20887-f593-773e-a29f-ecef330db95e', '01a20887-f5ab-70f0-a6e6-d7ac02576a71', '0', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', E'\\x99018ebe6a2ea22e0c6197b71956297960bf8c3c528d4a74f2515ad656527c98', 'en', '{"of": "ü"}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.708291+00'),
    ('default', '01a20887-f4f9-7697-bca2-758300e2bde4', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '01a20887-f4f7-7692-8108-469853d05d49', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', '0', NULL, '1', 'Files', NULL, '2026-11-23 13:10:57.531252+00'),
    ('default', '01a20887-f4f9-7697-bca2-758447f6f9a9', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '01a20887-f4f7-7692-8108-469853d05d49', '1', 'Close the file; a with statement does.', E'\\x775d19232cbe3f1a439c3ecb7ee712ca5e2bf6a51c4afb387f94fa4068a687e0', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.531858+00'),
    ('default', '01a20887-f51c-71dd-b74c-e7010c789b3b', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '01a20887-f51a-76af-b356-4a59ff5b5948', '0', 'A Path joins its parts with a slash.', E'\\x8acf8893a6bfc14102237b355a750dada633cdbd3c24c81bd9e34f3dd684d0ec', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.564725+00'),
    ('default', '01a20887-f529-748b-a187-51cafdcaac5d', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '01a20887-f528-7140-a49f-53658e187ea2', '0', E'Größe 100 %; ''quoted'' "twice" \\ שלום 東京 🦉
and a second line', E'\\x99018ebe6a2ea22e0c6197b71956297960bf8c3c528d4a74f2515ad656527c98', 'en', '{"of": "ü"}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 13:10:57.577613+00');

INSERT INTO ragstore.rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a20887-f5bc-70eb-92ed-a856cbb69adf', '1', '01a20887-f598-7047-99cf-6a40d5075411', '01a20887-f598-7047-99cf-6a3f7adcd693', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '2.2463929653167725', '0', NULL, '1', 'Files'),
    ('acme', '01a20887-f5bc-70eb-92ed-a856cbb69adf', '2', NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', '0.5', NULL, NULL, NULL, NULL),
    ('default', '01a20887-f55b-739a-9eb5-c4f3efa3d849', '1', '01a20887-f4f9-7697-bca2-758300e2bde4', '01a20887-f4f7-7692-8108-469853d05d49', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '2.2463929653167725', '0', NULL, '1', 'Files'),
    ('default', '01a20887-f55b-739a-9eb5-c4f3efa3d849', '2', NULL, NULL, NULL, 'https://example.org/?q=1', 'Elsewhere: 100 %', '', '0.5', NULL, NULL, NULL, NULL);

INSERT INTO ragstore.rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a20887-f5bc-70eb-92ed-a856cbb69adf', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:57.730588+00'),
    ('default', '01a20887-f55b-739a-9eb5-c4f3efa3d849', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:57.643575+00');

INSERT INTO ragstore.rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a20887-f5c1-75f5-bb6e-f811eca9b4ae', '01a20887-f5bc-70eb-92ed-a856cbb69adf', 'ada', '-1', NULL, '2026-11-23 13:10:57.729594+00'),
    ('acme', '01a20887-f5c2-722a-bc09-65ef6d6950bd', '01a20887-f5bc-70eb-92ed-a856cbb69adf', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:57.731051+00'),
    ('default', '01a20887-f569-75e3-9177-1eb62264af4b', '01a20887-f55b-739a-9eb5-c4f3efa3d849', 'ada', '-1', NULL, '2026-11-23 13:10:57.642485+00'),
    ('default', '01a20887-f56b-71ed-b47c-7692bf734a33', '01a20887-f55b-739a-9eb5-c4f3efa3d849', 'ada', '1', 'Now I see: ''open'' — 👍', '2026-11-23 13:10:57.643901+00');

INSERT INTO ragstore.rag_chunk_terms ("tenant_id", "chunk_id", "collection_id", "generation", "length", "lexemes", "weights", "rest") VALUES
    ('acme', '01a20887-f598-7047-99cf-6a40d5075411', '01a20887-f593-773e-a29f-ecef330db95e', '1', '6', '''f0802fcall'':1 ''f0802ffile'':9 ''f0802fopen'':2,7 ''f0802fpath'':5 ''f0802fread'':11', '{118313114:0.9447853,374033761:1.3218884,433403518:0.9447853,983902534:0.9447853,988780008:0.9447853}/1000000000', NULL),
    ('acme', '01a20887-f598-7047-99cf-6a41e9b98c1c', '01a20887-f593-773e-a29f-ecef330db95e', '1', '3', '''f0802fclose'':1 ''f0802ffile'':3 ''f0802fstatement'':6', '{118313114:1.2125984,204080786:1.2125984,288092373:1.2125984}/1000000000', NULL),
    ('acme', '01a20887-f5a3-779d-a5bb-b808169a4e2e', '01a20887-f593-773e-a29f-ecef330db95e', '1', '4', '''f0802fjoin'':3 ''f0802fpart'':5 ''f0802fpath'':2 ''f0802fslash'':8', '{326297601:1.1079136,416086279:1.1079136,491211111:1.1079136,988780008:1.1079136}/1000000000', NULL),
    ('acme', '01a20887-f5ac-775e-b7f1-771cda879f3b', '01a20887-f593-773e-a29f-ecef330db95e', '1', '8', '''f0802f100'':2 ''f0802fgrösse'':1 ''f0802fline'':10 ''f0802fquot'':3 ''f0802fsecond'':9 ''f0802ftwice'':4 ''f0802fשלום'':5 ''f0802f東京'':6', '{26077324:0.8235294,158137622:0.8235294,216577943:0.8235294,345457871:0.8235294,353133553:0.8235294,391822851:0.8235294,557278072:0.8235294,712114334:0.8235294}/1000000000', NULL),
    ('default', '01a20887-f4f9-7697-bca2-758300e2bde4', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '1', '6', '''ff3104call'':1 ''ff3104file'':9 ''ff3104open'':2,7 ''ff3104path'':5 ''ff3104read'':11', '{118313114:0.9447853,374033761:1.3218884,433403518:0.9447853,983902534:0.9447853,988780008:0.9447853}/1000000000', NULL),
    ('default', '01a20887-f4f9-7697-bca2-758447f6f9a9', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '1', '3', '''ff3104close'':1 ''ff3104file'':3 ''ff3104statement'':6', '{118313114:1.2125984,204080786:1.2125984,288092373:1.2125984}/1000000000', NULL),
    ('default', '01a20887-f51c-71dd-b74c-e7010c789b3b', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '1', '4', '''ff3104join'':3 ''ff3104part'':5 ''ff3104path'':2 ''ff3104slash'':8', '{326297601:1.1079136,416086279:1.1079136,491211111:1.1079136,988780008:1.1079136}/1000000000', NULL),
    ('default', '01a20887-f529-748b-a187-51cafdcaac5d', '01a20887-f4b6-77e8-95ed-d47369e1eb6a', '1', '8', '''ff3104100'':2 ''ff3104grösse'':1 ''ff3104line'':10 ''ff3104quot'':3 ''ff3104second'':9 ''ff3104twice'':4 ''ff3104שלום'':5 ''ff3104東京'':6', '{26077324:0.8235294,158137622:0.8235294,216577943:0.8235294,345457871:0.8235294,353133553:0.8235294,391822851:0.8235294,557278072:0.8235294,712114334:0.8235294}/1000000000', NULL);

INSERT INTO ragstore.rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a20887-f594-7224-8fa5-36ed8129ba64', '01a20887-f598-7047-99cf-6a40d5075411', '[1,0,0]', NULL, NULL),
    ('acme', '01a20887-f594-7224-8fa5-36ed8129ba64', '01a20887-f598-7047-99cf-6a41e9b98c1c', '[0,1,0]', NULL, NULL),
    ('acme', '01a20887-f594-7224-8fa5-36ed8129ba64', '01a20887-f5a3-779d-a5bb-b808169a4e2e', '[0,0,1]', NULL, NULL),
    ('default', '01a20887-f4b9-74f7-8b98-bb4cdb15acd3', '01a20887-f4f9-7697-bca2-758300e2bde4', '[1,0,0]', NULL, NULL),
    ('default', '01a20887-f4b9-74f7-8b98-bb4cdb15acd3', '01a20887-f4f9-7697-bca2-758447f6f9a9', '[0,1,0]', NULL, NULL),
    ('default', '01a20887-f4b9-74f7-8b98-bb4cdb15acd3', '01a20887-f51c-71dd-b74c-e7010c789b3b', '[0,0,1]', NULL, NULL);
