-- Rows that the code of this schema wrote. Never change them: there are such databases.

INSERT INTO ragstore.rag_collection ("tenant_id", "id", "name", "language", "languages", "metadata", "salt", "generation", "analyzed_chunks", "average_length", "analyzed_at", "created_at") VALUES
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', 'manual', 'en', '[]', '{}', '15777477', '1', '3', '4.666666666666667', '2026-11-23 06:05:37.676665+00', '2026-11-23 06:05:37.649685+00'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', 'manual', 'en', '[]', '{}', '3847317', '1', '3', '4.666666666666667', '2026-11-23 06:05:37.589708+00', '2026-11-23 06:05:37.543668+00');

INSERT INTO ragstore.rag_conversation ("tenant_id", "id", "thread_id", "user_id", "organisation_id", "collection", "title", "pinned", "metadata", "head", "leaf_id", "created_at", "last_activity") VALUES
    ('acme', '01a20702-8e18-75b0-80b2-5a428bbe71c4', 'chat-1', 'ada', NULL, NULL, NULL, 'f', '{}', '2', '01a20702-8e16-70e8-98e8-a187cfb2d6ae', '2026-11-23 06:05:37.688683+00', '2026-11-23 06:05:37.689179+00'),
    ('default', '01a20702-8de4-71b9-9650-1790402431b1', 'chat-1', 'ada', NULL, NULL, NULL, 'f', '{}', '2', '01a20702-8dde-77d1-a765-5431fb33d9f5', '2026-11-23 06:05:37.637871+00', '2026-11-23 06:05:37.638974+00');

INSERT INTO ragstore.rag_document ("tenant_id", "id", "collection_id", "source", "title", "doc_type", "version", "language", "content_hash", "metadata", "chunk_count", "created_at", "updated_at") VALUES
    ('acme', '01a20702-8df7-70c9-b2b5-71500eb1bd1a', '01a20702-8df1-7583-b0b0-ba5743841d0f', 'files.html', 'Files', 'guide', NULL, NULL, E'\\x05f8712d1e84f1cd5136a2f2a958e3020a4174c3772fac3c477558aa281b9779', '{"year": 2024}', '2', '2026-11-23 06:05:37.656334+00', '2026-11-23 06:05:37.656334+00'),
    ('acme', '01a20702-8e05-73c5-acc8-b8d5ec2dbdec', '01a20702-8df1-7583-b0b0-ba5743841d0f', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\xa9f19ed7aad04835056890f9fc2e22c0bd7572109919204a051f2b8ccb84a6a2', '{"year": 2025}', '1', '2026-11-23 06:05:37.669831+00', '2026-11-23 06:05:37.669831+00'),
    ('default', '01a20702-8d90-71bb-8ddf-2fbf97422faa', '01a20702-8d86-76ff-8b13-b95491ada534', 'files.html', 'Files', 'guide', NULL, NULL, E'\\x05f8712d1e84f1cd5136a2f2a958e3020a4174c3772fac3c477558aa281b9779', '{"year": 2024}', '2', '2026-11-23 06:05:37.554224+00', '2026-11-23 06:05:37.554224+00'),
    ('default', '01a20702-8dad-7602-a028-9b06a9988b07', '01a20702-8d86-76ff-8b13-b95491ada534', 'paths.html', 'Päths; ''quoted'' 100%', NULL, NULL, NULL, E'\\xa9f19ed7aad04835056890f9fc2e22c0bd7572109919204a051f2b8ccb84a6a2', '{"year": 2025}', '1', '2026-11-23 06:05:37.581933+00', '2026-11-23 06:05:37.581933+00');

INSERT INTO ragstore.rag_embedding_space ("tenant_id", "id", "collection_id", "model", "dimensions", "metric", "storage", "state", "index_method", "index_state", "index_options", "quantization", "search_effort", "backfilled_to", "activated_at", "retired_at", "created_at") VALUES
    ('acme', '01a20702-8df2-7763-aec0-1fb95e8bd307', '01a20702-8df1-7583-b0b0-ba5743841d0f', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 06:05:37.651096+00', NULL, '2026-11-23 06:05:37.651096+00'),
    ('default', '01a20702-8d88-760a-938a-6a70bd885a4d', '01a20702-8d86-76ff-8b13-b95491ada534', 'm', '3', 'cosine', 'vector', 'active', 'none', 'none', '{}', 'none', NULL, NULL, '2026-11-23 06:05:37.545533+00', NULL, '2026-11-23 06:05:37.545533+00');

INSERT INTO ragstore.rag_message ("tenant_id", "id", "conversation_id", "seq", "parent_id", "client_id", "role", "status", "content", "parts", "metadata", "response_time", "model", "resolved_model", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost", "created_at") VALUES
    ('acme', '01a20702-8e16-70e8-98e8-a18669510e12', '01a20702-8e18-75b0-80b2-5a428bbe71c4', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 06:05:37.689179+00'),
    ('acme', '01a20702-8e16-70e8-98e8-a187cfb2d6ae', '01a20702-8e18-75b0-80b2-5a428bbe71c4', '2', '01a20702-8e16-70e8-98e8-a18669510e12', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{}', '0.8', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 06:05:37.689179+00'),
    ('default', '01a20702-8dde-77d1-a765-54301b99530c', '01a20702-8de4-71b9-9650-1790402431b1', '1', NULL, NULL, 'user', 'complete', 'How do I open a file?', NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 06:05:37.638974+00'),
    ('default', '01a20702-8dde-77d1-a765-5431fb33d9f5', '01a20702-8de4-71b9-9650-1790402431b1', '2', '01a20702-8dde-77d1-a765-54301b99530c', NULL, 'assistant', 'complete', 'Call open() with a path to open a file for reading.', NULL, '{}', '0.8', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-23 06:05:37.638974+00');

INSERT INTO ragstore.rag_term ("tenant_id", "collection_id", "term", "frequency", "idf") VALUES
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '118313114', '2', '0.47000362924573563'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '204080786', '1', '0.9808292530117263'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '374033761', '1', '0.9808292530117263'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '416086279', '1', '0.9808292530117263'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '433403518', '1', '0.9808292530117263'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '491211111', '1', '0.9808292530117263'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '828268700', '1', '0.9808292530117263'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '929087020', '1', '0.9808292530117263'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '983902534', '2', '0.47000362924573563'),
    ('acme', '01a20702-8df1-7583-b0b0-ba5743841d0f', '988780008', '2', '0.47000362924573563'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '118313114', '2', '0.47000362924573563'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '204080786', '1', '0.9808292530117263'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '374033761', '1', '0.9808292530117263'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '416086279', '1', '0.9808292530117263'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '433403518', '1', '0.9808292530117263'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '491211111', '1', '0.9808292530117263'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '828268700', '1', '0.9808292530117263'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '929087020', '1', '0.9808292530117263'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '983902534', '2', '0.47000362924573563'),
    ('default', '01a20702-8d86-76ff-8b13-b95491ada534', '988780008', '2', '0.47000362924573563');

INSERT INTO ragstore.rag_chunk ("tenant_id", "id", "collection_id", "document_id", "chunk_index", "content", "content_hash", "language", "metadata", "start_offset", "end_offset", "page", "heading", "embedding_id", "created_at") VALUES
    ('acme', '01a20702-8df8-7288-8f92-7b7448eea9db', '01a20702-8df1-7583-b0b0-ba5743841d0f', '01a20702-8df7-70c9-b2b5-71500eb1bd1a', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', NULL, NULL, NULL, 'Opening', NULL, '2026-11-23 06:05:37.656924+00'),
    ('acme', '01a20702-8df8-7288-8f92-7b75226c89a3', '01a20702-8df1-7583-b0b0-ba5743841d0f', '01a20702-8df7-70c9-b2b5-71500eb1bd1a', '1', 'Call close() when you are done with the file.', E'\\x6af91df21b321981fc9be0379b69b53816a85be32249f33c7d6f0a698c7398bf', 'en', '{}', NULL, NULL, '2', 'Closing', NULL, '2026-11-23 06:05:37.657051+00'),
    ('acme', '01a20702-8e06-7608-b04f-cfd16a7a82c7', '01a20702-8df1-7583-b0b0-ba5743841d0f', '01a20702-8e05-73c5-acc8-b8d5ec2dbdec', '0', 'A Path joins directories with a slash.', E'\\x1651dc57c507ece1834f390ad68badf4d5ec35b344ad2e5da78f3fcbe6e874fe', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 06:05:37.670344+00'),
    ('default', '01a20702-8d92-7469-800d-efd9c2037c9d', '01a20702-8d86-76ff-8b13-b95491ada534', '01a20702-8d90-71bb-8ddf-2fbf97422faa', '0', 'Call open() with a path to open a file for reading.', E'\\x0103689a017cffae0ff77bf32bc2ad3cc91c7218c62817e3abdcb5d788afa0aa', 'en', '{}', NULL, NULL, NULL, 'Opening', NULL, '2026-11-23 06:05:37.555632+00'),
    ('default', '01a20702-8d92-7469-800d-efdaf9a1fa1f', '01a20702-8d86-76ff-8b13-b95491ada534', '01a20702-8d90-71bb-8ddf-2fbf97422faa', '1', 'Call close() when you are done with the file.', E'\\x6af91df21b321981fc9be0379b69b53816a85be32249f33c7d6f0a698c7398bf', 'en', '{}', NULL, NULL, '2', 'Closing', NULL, '2026-11-23 06:05:37.556022+00'),
    ('default', '01a20702-8dae-70ae-baa0-7825b86a7bfb', '01a20702-8d86-76ff-8b13-b95491ada534', '01a20702-8dad-7602-a028-9b06a9988b07', '0', 'A Path joins directories with a slash.', E'\\x1651dc57c507ece1834f390ad68badf4d5ec35b344ad2e5da78f3fcbe6e874fe', 'en', '{}', NULL, NULL, NULL, NULL, NULL, '2026-11-23 06:05:37.582901+00');

INSERT INTO ragstore.rag_citation ("tenant_id", "message_id", "rank", "chunk_id", "document_id", "collection", "source", "title", "snippet", "score", "start_offset", "end_offset", "page", "heading") VALUES
    ('acme', '01a20702-8e16-70e8-98e8-a187cfb2d6ae', '1', '01a20702-8df8-7288-8f92-7b7448eea9db', '01a20702-8df7-70c9-b2b5-71500eb1bd1a', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '0.03278688524590164', NULL, NULL, NULL, 'Opening'),
    ('acme', '01a20702-8e16-70e8-98e8-a187cfb2d6ae', '2', '01a20702-8df8-7288-8f92-7b75226c89a3', '01a20702-8df7-70c9-b2b5-71500eb1bd1a', 'manual', 'files.html', 'Files', 'Call close() when you are done with the file.', '0.03225806451612903', NULL, NULL, '2', 'Closing'),
    ('default', '01a20702-8dde-77d1-a765-5431fb33d9f5', '1', '01a20702-8d92-7469-800d-efd9c2037c9d', '01a20702-8d90-71bb-8ddf-2fbf97422faa', 'manual', 'files.html', 'Files', 'Call open() with a path to open a file for reading.', '0.03278688524590164', NULL, NULL, NULL, 'Opening'),
    ('default', '01a20702-8dde-77d1-a765-5431fb33d9f5', '2', '01a20702-8d92-7469-800d-efdaf9a1fa1f', '01a20702-8d90-71bb-8ddf-2fbf97422faa', 'manual', 'files.html', 'Files', 'Call close() when you are done with the file.', '0.03225806451612903', NULL, NULL, '2', 'Closing');

INSERT INTO ragstore.rag_feedback ("tenant_id", "message_id", "user_id", "value", "comment", "updated_at") VALUES
    ('acme', '01a20702-8e16-70e8-98e8-a187cfb2d6ae', 'ada', '1', NULL, '2026-11-23 06:05:37.692764+00'),
    ('default', '01a20702-8dde-77d1-a765-5431fb33d9f5', 'ada', '1', NULL, '2026-11-23 06:05:37.647464+00');

INSERT INTO ragstore.rag_feedback_change ("tenant_id", "id", "message_id", "user_id", "value", "comment", "created_at") VALUES
    ('acme', '01a20702-8e1b-71f2-998a-77c640a3c7fb', '01a20702-8e16-70e8-98e8-a187cfb2d6ae', 'ada', '-1', NULL, '2026-11-23 06:05:37.691915+00'),
    ('acme', '01a20702-8e1c-7591-9777-cf3f26185a65', '01a20702-8e16-70e8-98e8-a187cfb2d6ae', 'ada', '1', NULL, '2026-11-23 06:05:37.693153+00'),
    ('default', '01a20702-8ded-702a-862a-18bd40acb1f0', '01a20702-8dde-77d1-a765-5431fb33d9f5', 'ada', '-1', NULL, '2026-11-23 06:05:37.646317+00'),
    ('default', '01a20702-8def-7519-8b90-0e71d473a3c3', '01a20702-8dde-77d1-a765-5431fb33d9f5', 'ada', '1', NULL, '2026-11-23 06:05:37.647894+00');

INSERT INTO ragstore.rag_chunk_terms ("tenant_id", "chunk_id", "collection_id", "generation", "length", "lexemes", "weights", "rest") VALUES
    ('acme', '01a20702-8df8-7288-8f92-7b7448eea9db', '01a20702-8df1-7583-b0b0-ba5743841d0f', '1', '6', '''f0bec5call'':1 ''f0bec5file'':9 ''f0bec5open'':2,7 ''f0bec5path'':5 ''f0bec5read'':11', '{118313114:0.89534885,374033761:1.2727273,433403518:0.89534885,983902534:0.89534885,988780008:0.89534885}/1000000000', NULL),
    ('acme', '01a20702-8df8-7288-8f92-7b75226c89a3', '01a20702-8df1-7583-b0b0-ba5743841d0f', '1', '4', '''f0bec5call'':1 ''f0bec5close'':2 ''f0bec5done'':6 ''f0bec5file'':9', '{118313114:1.0620689,204080786:1.0620689,828268700:1.0620689,983902534:1.0620689}/1000000000', NULL),
    ('acme', '01a20702-8e06-7608-b04f-cfd16a7a82c7', '01a20702-8df1-7583-b0b0-ba5743841d0f', '1', '4', '''f0bec5directori'':4 ''f0bec5join'':3 ''f0bec5path'':2 ''f0bec5slash'':7', '{416086279:1.0620689,491211111:1.0620689,929087020:1.0620689,988780008:1.0620689}/1000000000', NULL),
    ('default', '01a20702-8d92-7469-800d-efd9c2037c9d', '01a20702-8d86-76ff-8b13-b95491ada534', '1', '6', '''3ab495call'':1 ''3ab495file'':9 ''3ab495open'':2,7 ''3ab495path'':5 ''3ab495read'':11', '{118313114:0.89534885,374033761:1.2727273,433403518:0.89534885,983902534:0.89534885,988780008:0.89534885}/1000000000', NULL),
    ('default', '01a20702-8d92-7469-800d-efdaf9a1fa1f', '01a20702-8d86-76ff-8b13-b95491ada534', '1', '4', '''3ab495call'':1 ''3ab495close'':2 ''3ab495done'':6 ''3ab495file'':9', '{118313114:1.0620689,204080786:1.0620689,828268700:1.0620689,983902534:1.0620689}/1000000000', NULL),
    ('default', '01a20702-8dae-70ae-baa0-7825b86a7bfb', '01a20702-8d86-76ff-8b13-b95491ada534', '1', '4', '''3ab495directori'':4 ''3ab495join'':3 ''3ab495path'':2 ''3ab495slash'':7', '{416086279:1.0620689,491211111:1.0620689,929087020:1.0620689,988780008:1.0620689}/1000000000', NULL);

INSERT INTO ragstore.rag_embedding ("tenant_id", "space_id", "chunk_id", "dense", "half", "sparse") VALUES
    ('acme', '01a20702-8df2-7763-aec0-1fb95e8bd307', '01a20702-8df8-7288-8f92-7b7448eea9db', '[1,0,0]', NULL, NULL),
    ('acme', '01a20702-8df2-7763-aec0-1fb95e8bd307', '01a20702-8df8-7288-8f92-7b75226c89a3', '[0,1,0]', NULL, NULL),
    ('acme', '01a20702-8df2-7763-aec0-1fb95e8bd307', '01a20702-8e06-7608-b04f-cfd16a7a82c7', '[0,0,1]', NULL, NULL),
    ('default', '01a20702-8d88-760a-938a-6a70bd885a4d', '01a20702-8d92-7469-800d-efd9c2037c9d', '[1,0,0]', NULL, NULL),
    ('default', '01a20702-8d88-760a-938a-6a70bd885a4d', '01a20702-8d92-7469-800d-efdaf9a1fa1f', '[0,1,0]', NULL, NULL),
    ('default', '01a20702-8d88-760a-938a-6a70bd885a4d', '01a20702-8dae-70ae-baa0-7825b86a7bfb', '[0,0,1]', NULL, NULL);
