# Two images, each with only the dependencies that it needs:
#   docker build --target backend .      the interface, the trainers and torch
#   docker build --target dashboard .    the page; no torch
# pip's settings are build arguments; PIP_EXTRA_INDEX_URL may name an index with CPU builds of torch.

FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_NO_CACHE_DIR=1
RUN useradd --uid 1000 --create-home stnscope && install -d -o stnscope -g stnscope /data
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./

FROM base AS backend
# The dependencies before the source, so that a change of the source does not reinstall them.
RUN pip install --constraint constraints.txt ".[backend,data]"
COPY models models
COPY stnscope stnscope
COPY access access
COPY backend backend
RUN pip install --no-deps --force-reinstall .
USER stnscope
ENV STNSCOPE_HOME=/data
EXPOSE 8502
CMD ["stnscope", "serve", "--no-page", "--host", "0.0.0.0", "--port", "8502"]

FROM base AS dashboard
# Only the extra: the package itself requires torch, which the page does not import.
RUN python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
    print(*project['optional-dependencies']['dashboard'], sep='\n')" > page.txt && \
    pip install --constraint constraints.txt --requirement page.txt
COPY stnscope stnscope
COPY access access
COPY dashboard dashboard
RUN pip install --no-deps --force-reinstall .
USER stnscope
EXPOSE 8501
# The addresses of proxies whose X-Forwarded headers are trusted; none by default.
ENV FORWARDED_ALLOW_IPS=""
# The last option is the page's host name in browsers; the page accepts no other.
CMD ["streamlit", "run", "dashboard/service.py", "--server.address=0.0.0.0", "--server.port=8501", \
     "--server.headless=true", "--browser.serverAddress=localhost"]
