user_sessions = {}  # In-memory session storage
upload_cache = {}   # Files waiting to be processed

def login(user_id, session_token):
    user_sessions[session_token] = user_id

def start_upload(file_data):
    upload_id = generate_id()
    upload_cache[upload_id] = file_data
    return upload_id

def complete_upload(upload_id):
    file_data = upload_cache.get(upload_id)
